//! The functions of a file as its importers call them.
//!
//! Rhai caches which function a name means, or that it means none, and uses this cache inside the functions of an imported file, too.
//! A call there would reach the function of that name in the importing file, or a native. So importers get a stand-in for each
//! function. Its body is one variable, `NAME__entered`. When Rhai looks the variable up, [`enter`] calls the real function with a
//! new cache.

use super::names;
use super::natives::Fallible;
use rhai::{
    AST, Dynamic, EncapsulatedEnviron, Engine, EvalAltResult, EvalContext, FnNamespace, FuncRegistration,
    Locked, Module, Position, RhaiFunc, ScriptFuncDef, Shared,
};
use std::any::TypeId;

/// The variable of a stand-in ends with this, after the name of the function in Rhai's syntax tree.
const SUFFIX: &str = "__entered";

/// Returns `module` of file `ast` for importers, with the names that the file gives its functions.
///
/// # Errors
/// Rhai refuses a name; it has accepted it before.
pub(super) fn for_importers(engine: &Engine, module: &Shared<Module>, ast: &AST) -> Fallible<Shared<Module>> {
    let is_exported = |function: &&Shared<ScriptFuncDef>| {
        function.this_type.is_none() && !function.access.is_private() && !is_closure(&function.name)
    };
    let functions: Vec<&Shared<ScriptFuncDef>> = ast.iter_fn_def().filter(is_exported).collect();
    if functions.is_empty() {
        return Ok(module.clone());
    }
    // Rhai makes the same environment for the functions of an imported module.
    let constants = module.iter_var().map(|(name, value)| (name.into(), value.clone())).collect();
    let environment = Shared::new(EncapsulatedEnviron {
        lib: [ast.shared_lib().clone()].into_iter().collect(),
        imports: module.iter_sub_modules().map(|(name, module)| (name.into(), module.clone())).collect(),
        constants: Some(Shared::new(Locked::new(constants))),
    });
    let mut others = AST::new_from_module(module.clone());
    others.retain_functions(|namespace, _, name, _| namespace == FnNamespace::Global || is_closure(name));
    let mut exported = Module::clone(others.shared_lib());
    for function in functions {
        let name = names::given(&function.name);
        let stand_in = engine.compile(format!("fn enter() {{ {}{SUFFIX} }}", function.name))?;
        let Some(enter) = stand_in.iter_fn_def().next() else { continue };
        let fn_def = ScriptFuncDef {
            body: enter.body.clone(),
            name: name.into(),
            access: function.access,
            this_type: None,
            params: function.params.clone(),
        };
        let types = vec![TypeId::of::<Dynamic>(); function.params.len()];
        let function = RhaiFunc::Script { fn_def: fn_def.into(), env: Some(environment.clone()) };
        FuncRegistration::new(name).set_into_module_raw(&mut exported, types, function);
    }
    exported.build_index();
    Ok(exported.into())
}

fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// Returns the function for which the variable `name` stands.
pub(super) fn entered(name: &str) -> Option<&str> {
    name.strip_suffix(SUFFIX)
}

/// Calls `function` for its stand-in. The variables in scope are the arguments.
///
/// # Errors
/// Always: the error of the function, or `Return` with its result. Rhai does not let the value of a variable be changed.
pub(super) fn enter(function: &str, mut context: EvalContext) -> Box<EvalAltResult> {
    let names: Vec<String> = context.scope().iter().map(|(name, ..)| name.to_owned()).collect();
    let scope = context.scope_mut();
    let mut take = |name: &String| match scope.get_mut(name) {
        Some(value) => std::mem::take(value),
        None => scope.get(name).cloned().unwrap_or_default(),
    };
    let mut arguments: Vec<Dynamic> = names.iter().map(&mut take).collect();
    let mut arguments: Vec<&mut Dynamic> = arguments.iter_mut().collect();
    let result =
        context.new_frame().with_new_caching_layer().call_fn_raw(function, false, false, &mut arguments);
    match result.map_err(|error| *error) {
        Ok(value) => EvalAltResult::Return(value, Position::NONE).into(),
        // The importer's call adds the same frame.
        Err(EvalAltResult::ErrorInFunctionCall(_, _, error, _)) => error,
        Err(error) => error.into(),
    }
}
