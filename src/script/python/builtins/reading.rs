//! Methods that work on constant lists and bytes too, where Rhai's own fail: `extract`, `get`, `order`.

use crate::script::runtime::frozen::FrozenList;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use rhai::{Array, Blob, Dynamic, NativeCallContext};
use std::ops::{Range, RangeInclusive};

/// Returns at most `count` places from `start` on. A negative `start` counts from the end.
fn places(length: usize, start: i64, count: i64) -> Range<usize> {
    let size = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    let first = if start < 0 { length.saturating_sub(size) } else { size.min(length) };
    let count = usize::try_from(count).unwrap_or(0).min(length - first);
    first..first + count
}

fn register_extract<T: ScriptValue>(natives: &mut Natives, cut: fn(&T, i64, i64) -> T) {
    natives
        .register_fn("extract", move |list: &mut T, start: i64| cut(list, start, i64::MAX))
        .register_fn("extract", move |list: &mut T, start: i64, count: i64| cut(list, start, count))
        .register_fn("extract", move |list: &mut T, range: Range<i64>| {
            cut(list, range.start.max(0), range.end.saturating_sub(range.start.max(0)))
        })
        .register_fn("extract", move |list: &mut T, range: RangeInclusive<i64>| {
            let start = (*range.start()).max(0);
            cut(list, start, range.end().saturating_sub(start).saturating_add(1))
        });
}

/// Returns a copy sorted by Rhai's `sort` or `sort_desc`.
fn ordered(context: &NativeCallContext, list: &Array, sort: &str) -> Fallible<Dynamic> {
    let mut copy = Dynamic::from_array(list.clone());
    drop(context.call_native_fn_raw(sort, true, &mut [&mut copy])?);
    Ok(copy)
}

pub(super) fn register(natives: &mut Natives) {
    register_extract::<Array>(natives, |list, start, count| list[places(list.len(), start, count)].to_vec());
    register_extract::<FrozenList>(natives, |list, start, count| {
        FrozenList::new(list.slice(places(list.len(), start, count)))
    });
    register_extract::<Blob>(natives, |bytes, start, count| {
        bytes[places(bytes.len(), start, count)].to_vec()
    });
    natives
        .register_fn("get", |list: &mut Array, index: i64| {
            let item = list.get(places(list.len(), index, 1)).and_then(<[Dynamic]>::first);
            item.filter(|_| index.unsigned_abs() <= list.len() as u64).cloned().unwrap_or_default()
        })
        .register_fn("order", |context: NativeCallContext, list: &mut Array| ordered(&context, list, "sort"))
        .register_fn("order_desc", |context: NativeCallContext, list: &mut Array| {
            ordered(&context, list, "sort_desc")
        });
}
