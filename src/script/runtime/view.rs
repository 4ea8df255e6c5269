//! View functions: a function pointer with the file that defines it and its parameters bound to the variables of a rule by name,
//! as Flask passes them. How they are called stands in `evaluation`.

use super::files::{File, Files, Function};
use super::names;
use super::natives::Fallible;
use crate::routing::value::Value;
use rhai::{AST, Dynamic, FnPtr, NativeCallContext, Position};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A function that a provision registered.
#[derive(Clone)]
pub struct View {
    pub(super) function: FnPtr,
    /// The file that defines it: constants, imports and other functions are found from there.
    pub file: Arc<File>,
    /// Its parameters without captured variables; more than one list where it is overloaded.
    overloads: Vec<Vec<String>>,
    /// Line that it begins in; of a closure, the line that registers it.
    pub line: Option<usize>,
    /// The call of it, made when it is called first; none of a closure, which has no name that scripts can write.
    pub(super) called: OnceLock<Option<Arc<AST>>>,
}

/// A view function bound to a rule.
#[derive(Debug, Clone)]
pub struct Bound {
    pub view: View,
    /// For each parameter the index of its variable in the rule; none where the order is the same.
    pub(super) arguments: Vec<usize>,
}

impl fmt::Debug for View {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file.name, self.function.fn_name())
    }
}

impl PartialEq for View {
    /// Whether both are the same function; a closure is the same where its text is.
    fn eq(&self, other: &View) -> bool {
        self.file.name == other.file.name && self.function.fn_name() == other.function.fn_name()
    }
}

impl View {
    /// The function that `function` points to, looked for where the registering call stands, then in the other `files`.
    ///
    /// # Errors
    /// No file has it, or only as `private fn`, which Rhai lets nobody call from outside.
    pub fn find(files: &Files, context: &NativeCallContext, function: FnPtr) -> Fallible<View> {
        let mut candidates: Vec<Arc<File>> =
            context.call_source().and_then(|name| files.file(name)).into_iter().collect();
        candidates.extend(files.file(&files.main));
        candidates.extend(files.all());
        for file in candidates {
            // `Fn(n)` with a name that is found out at run time does not know that the function is renamed.
            let renamed = FnPtr::new(names::renamed(function.fn_name())).ok().map(|mut renamed| {
                renamed.set_curry(function.curry().iter().cloned());
                renamed
            });
            for function in [renamed, Some(function.clone())].into_iter().flatten() {
                let overloads = file.overloads(function.fn_name());
                if !overloads.is_empty() {
                    return View::from_overloads(function, file.clone(), overloads, context.call_position());
                }
            }
        }
        let name = names::shown(function.fn_name());
        // A file is known once its top level has run.
        if context.call_source().is_some_and(|name| files.file(name).is_none()) {
            return Err("rules and hooks are registered in a function: write `fn registerRules() { ... }` around the call".into());
        }
        Err(format!("no function `{name}`: define it by `fn {name}(...) {{ ... }}`").into())
    }

    fn from_overloads(
        function: FnPtr,
        file: Arc<File>,
        overloads: &[Function],
        at: Position,
    ) -> Fallible<View> {
        let captured = function.curry().len();
        let line = overloads.iter().find_map(|overload| overload.line).or(at.line());
        let public = overloads.iter().filter(|overload| !overload.private);
        let overloads: Vec<Vec<String>> =
            public.filter_map(|overload| overload.params.get(captured..).map(<[String]>::to_vec)).collect();
        if overloads.is_empty() {
            let name = names::shown(function.fn_name());
            return Err(
                format!("function `{name}` is private: drop the word `private` before `fn {name}`").into()
            );
        }
        Ok(View { function, file, overloads, line, called: OnceLock::new() })
    }

    /// The endpoint of a rule that names none: the function's name, or for a closure its place.
    pub fn endpoint(&self, at: Position) -> String {
        if self.function.is_anonymous() {
            return format!("closure_{}_{}", at.line().unwrap_or(0), at.position().unwrap_or(0));
        }
        names::shown(self.function.fn_name()).into_owned()
    }

    /// The function's name as people know it.
    pub fn name(&self) -> String {
        if self.function.is_anonymous() {
            "closure".to_owned()
        } else {
            format!("`{}`", names::shown(self.function.fn_name()))
        }
    }

    /// The function, if it can be called with `count` values.
    ///
    /// # Errors
    /// With `why` and what it takes instead.
    pub fn taking(self, count: usize, why: &str) -> Fallible<View> {
        if self.overloads.iter().any(|params| params.len() == count) {
            return Ok(self);
        }
        Err(format!("{why}, but {} takes `{}`", self.name(), signature(&self.overloads[0])).into())
    }

    /// Binds the parameters to `variables` of `rule` by name.
    ///
    /// # Errors
    /// A parameter that the rule does not give, or a variable that the function does not take.
    pub fn bind(self, rule: &str, variables: &[&str]) -> Result<Bound, String> {
        let index = |param: &String| variables.iter().position(|variable| variable == param);
        for params in &self.overloads {
            let arguments: Vec<usize> = params.iter().filter_map(index).collect();
            if arguments.len() == params.len() && params.len() == variables.len() {
                let same = arguments.is_sorted();
                return Ok(Bound { arguments: if same { Vec::new() } else { arguments }, view: self });
            }
        }
        let takes = signature(&self.overloads[0]);
        let gives = format!("({})", variables.join(", "));
        Err(format!("view function {} takes `{takes}`, but rule `{rule}` gives `{gives}`", self.name()))
    }
}

/// The value of a URL variable for scripts.
pub(crate) fn dynamic(value: Value) -> Dynamic {
    match value {
        Value::Int(number) => Dynamic::from_int(number),
        Value::Float(number) => Dynamic::from_float(number),
        Value::Text(text) => text.into(),
    }
}

fn signature(params: &[String]) -> String {
    format!("({})", params.join(", "))
}
