//! The functions of a file as its importers call them. Rhai notes for the name of a called function what it found, also that
//! it found none, and goes on using these notes in the functions of an imported file: a call there would find the function of
//! the same name in the importing file, or a native in place of the file's own function. So importers get a function of one
//! mention in place of each function. Rhai asks [`enter`] what that mention means, and it calls the function with new notes.

use super::names;
use super::natives::Fallible;
use rhai::{
    AST, Dynamic, EncapsulatedEnviron, Engine, EvalAltResult, EvalContext, FnNamespace, FuncRegistration,
    Locked, Module, Position, RhaiFunc, ScriptFuncDef, Shared,
};
use std::any::TypeId;

/// The suffix of the mention. Before it is the name of the function in Rhai's syntax tree.
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
        let mention = engine.compile(format!("fn enter() {{ {}{SUFFIX} }}", function.name))?;
        let Some(enter) = mention.iter_fn_def().next() else { continue };
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

/// Returns the function that the variable `name` enters.
pub(super) fn entered(name: &str) -> Option<&str> {
    name.strip_suffix(SUFFIX)
}

/// Calls `function` of the file that was entered. All variables that are there are its arguments.
///
/// # Errors
/// The error of the function, or its result: the value of a variable could not be changed.
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
        // The importer's call adds the same.
        Err(EvalAltResult::ErrorInFunctionCall(_, _, error, _)) => error,
        Err(error) => error.into(),
    }
}
