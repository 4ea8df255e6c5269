use super::*;

fn locked(store: &KeyValueStore, epoch: u64) -> Locked<'_> {
    store.lock(Some(epoch)).unwrap()
}

#[test]
fn a_new_epoch_restores_the_loaded_values_and_locks_out_the_old_epoch() {
    let store = KeyValueStore::default();
    store.lock(None).unwrap().set("loaded", 1.into()).unwrap();
    store.keep_loaded();
    locked(&store, 0).set("loaded", 2.into()).unwrap();
    locked(&store, 0).set("later", 3.into()).unwrap();
    assert_eq!(locked(&store, 0).under("").count(), 2);
    assert_eq!(locked(&store, 4).look("loaded").0.unwrap().as_int(), Ok(1));
    assert!(!locked(&store, 4).contains("later"));
    assert!(store.lock(Some(3)).is_none());
    assert!(store.lock(None).is_some());
}

#[test]
fn keys_are_listed_and_cleared_by_prefix() {
    let store = KeyValueStore::default();
    let mut values = locked(&store, 0);
    for key in ["a", "a/1", "a/2", "ab", "b"] {
        assert!(values.set(key, Dynamic::UNIT).unwrap().is_none());
    }
    let keys = |values: &Values, prefix: &str| {
        values.under(prefix).map(|(key, _)| key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&values, "a/"), ["a/1", "a/2"]);
    assert_eq!(keys(&values, "c"), [""; 0]);
    assert_eq!(values.clear("a/").len(), 2);
    assert_eq!(keys(&values, ""), ["a", "ab", "b"]);
    assert_eq!(values.clear("").len(), 3);
}

#[test]
fn a_key_that_is_removed_and_set_again_has_a_new_version() {
    let store = KeyValueStore::default();
    let mut values = locked(&store, 0);
    assert!(values.set_if("k", 1.into(), 0).unwrap().is_ok());
    let (_, version) = values.look("k");
    values.remove("k");
    assert!(values.set_if("k", 2.into(), version).unwrap().is_err());
    values.set("k", 1.into()).unwrap();
    assert!(values.set_if("k", 2.into(), version).unwrap().is_err());
}

/// Changes the store in every way, in random order, with values of all kinds. The counted size must be that of a new store with
/// the same values, within the limit, and 0 at the end.
#[test]
fn the_counted_size_is_exact_after_any_changes() {
    const MOST: usize = 20_000;
    let mut random = fastrand::Rng::with_seed(16);
    let mut values = Values::new(MOST);
    let mut refused = 0;
    for _ in 0..20_000 {
        let key = ["a", "b", "scope:x/a", "c"][random.usize(..4)];
        let value = value(&mut random);
        let before = (values.bytes, values.look(key).1);
        let result = match random.u8(..9) {
            0..3 => values.set(key, value).map(drop),
            3..5 => values.append(key, value).map(drop),
            5 => values.set_if(key, value, before.1).map(drop),
            6 => values.set_default(key, value).map(drop),
            7 => values.incr(key, 1).map(drop).map_err(|why| NotSet { why, _value: value }),
            _ => {
                values.remove(key);
                Ok(())
            }
        };
        if result.is_err() {
            refused += 1;
            assert_eq!((values.bytes, values.look(key).1), before);
        }
        let mut fresh = Values::new(MOST);
        for (key, value) in values.under("") {
            fresh.set(key, (**value).clone()).unwrap();
        }
        assert_eq!(values.bytes, fresh.bytes);
    }
    assert!(refused > 1_000, "{refused}");
    values.clear("");
    assert_eq!(values.bytes, 0);
}

fn value(random: &mut fastrand::Rng) -> Dynamic {
    let list = |random: &mut fastrand::Rng| {
        FrozenList::new((0..random.usize(..9)).map(|_| "item".repeat(random.usize(..50)).into()).collect())
    };
    match random.u8(..4) {
        0 => 7.into(),
        1 => "text".repeat(random.usize(..500)).into(),
        2 => Dynamic::from_blob(vec![1; random.usize(..2_000)]),
        _ => Dynamic::from(list(random)),
    }
}

#[test]
fn a_value_without_room_changes_nothing_and_the_error_has_key_bytes_and_flag() {
    let store = KeyValueStore::new(1_000);
    let mut values = locked(&store, 0);
    values.set("a", "x".repeat(600).into()).unwrap();
    let held = values.bytes;
    let why = |not_set: NotSet| not_set.to_string();
    let error = "store: no room for `b`: it takes 469 bytes, and 231 of 1000 are left (--store-bytes)";
    assert_eq!(why(values.set("b", "x".repeat(300).into()).unwrap_err()), error);
    assert_eq!(why(values.append("b", "x".repeat(60).into()).unwrap_err()), error.replace("469", "357"));
    assert!(!values.contains("b"));
    // A value that replaces a larger one always fits.
    values.set("a", "x".repeat(500).into()).unwrap();
    assert_eq!(values.bytes, held - 100);
    values.incr("n", 1).unwrap();
    values.incr("o", 1).unwrap();
    assert!(values.incr("m", 1).unwrap_err().contains("no room for `m`"));
    assert_eq!(values.incr("n", 1), Ok(2));
    drop(values);
    assert_eq!(store.usage(), (held - 100 + 2 * 129, 1_000));
    assert_eq!(store.other().usage(), (0, 1_000));
}

#[test]
fn a_reset_restores_the_size_of_the_loaded_values() {
    let store = KeyValueStore::new(1_000);
    locked(&store, 0).set("a", 1.into()).unwrap();
    store.keep_loaded();
    let loaded = store.usage();
    locked(&store, 0).set("b", "x".repeat(600).into()).unwrap();
    assert_eq!(locked(&store, 1).under("").count(), 1);
    assert_eq!(store.usage(), loaded);
}

#[test]
fn the_default_limit_is_a_quarter_of_a_small_memory() {
    for (memory, most) in [(None, 64 << 20), (Some(1 << 40), 64 << 20), (Some(128 << 20), 32 << 20)] {
        assert_eq!(KeyValueStore::default_limit(memory), most);
    }
}

#[test]
fn each_change_of_a_value_gives_it_a_new_version() {
    let store = KeyValueStore::default();
    let mut values = store.lock(None).unwrap();
    let mut versions = vec![values.look("k").1];
    values.append("k", 1.into()).unwrap();
    versions.push(values.look("k").1);
    // `store.update` must notice an item that another request appended meanwhile.
    values.append("k", 2.into()).unwrap();
    versions.push(values.look("k").1);
    values.set("k", 3.into()).unwrap();
    versions.push(values.look("k").1);
    values.incr("k", 1).unwrap();
    versions.push(values.look("k").1);
    assert!(versions.is_sorted_by(|one, next| one < next), "{versions:?}");
    assert!(values.set_if("k", 5.into(), versions[3]).unwrap().is_err());
    assert!(values.set_if("k", 5.into(), versions[4]).unwrap().is_ok());
}

#[test]
fn a_value_may_fill_the_store_and_an_item_the_list() {
    let value = || Dynamic::from("x".repeat(100));
    let exact = size("a", &value());
    for (most, fits) in [(exact, true), (exact - 1, false)] {
        assert_eq!(locked(&KeyValueStore::new(most), 0).set("a", value()).is_ok(), fits);
    }
    let store = KeyValueStore::new(usize::MAX);
    let mut values = locked(&store, 0);
    values.set("list", Dynamic::from(FrozenList::new(vec![Dynamic::UNIT; MAX_ITEMS - 1]))).unwrap();
    assert_eq!(values.append("list", 1.into()).ok(), i64::try_from(MAX_ITEMS).ok());
    assert!(values.append("list", 1.into()).is_err());
}
