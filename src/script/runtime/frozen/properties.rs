//! Getters of frozen maps for the properties that a file mentions.
//!
//! Without a getter, Rhai writes the text of an error at each `item.name` before it tries the index: 3,500 instructions. The getters
//! belong to the file, so that the engine need not know all names that scripts may use.

use super::FrozenMap;
use crate::script::runtime::natives::{Fallible, getter};
use rhai::{AST, ASTNode, Dynamic, Expr, ImmutableString, Module};
use std::collections::HashSet;

/// A module of getters for the properties in `ast`; none where there are none.
pub(crate) fn getters(ast: &AST) -> Option<Module> {
    let mut names: HashSet<ImmutableString> = HashSet::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::Property(property, _))) = path.last() {
            names.insert(property.2.clone());
        }
        true
    });
    let mut module = Module::new();
    for name in &names {
        let key = name.clone();
        getter(&mut module, name, move |map: &mut FrozenMap| -> Fallible<Dynamic> {
            Ok(map.get(&key).cloned().unwrap_or_default())
        });
    }
    (!names.is_empty()).then_some(module)
}
