//! View functions, hooks and error handlers: the functions that a provision registered.
//!
//! The variables of a rule are passed to the parameters of the same name, as in Flask: the rule `/users/<id>` calls
//! `fn user(id)`. `evaluation` calls the functions.

use super::captured;
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
    /// The file that defines it, with the constants, imports and functions that it can use.
    pub file: Arc<File>,
    /// Its parameters without captured variables: one list for each overload.
    overloads: Vec<Vec<String>>,
    /// Its first line, or for a closure the line that registers it.
    pub line: Option<usize>,
    /// The compiled call, made at the first call. `None` for a closure, whose name can't be written in a script.
    pub(super) called: OnceLock<Option<Arc<AST>>>,
}

/// A view function bound to a rule.
#[derive(Debug, Clone)]
pub struct Bound {
    pub view: View,
    /// For each parameter the index of its variable in the rule; empty where the order is the same.
    pub(super) arguments: Vec<usize>,
}

impl fmt::Debug for View {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file.name, self.function.fn_name())
    }
}

impl PartialEq for View {
    /// Whether both are the same function. Rhai names closures by their text, so closures with the same text are equal.
    fn eq(&self, other: &View) -> bool {
        self.file.name == other.file.name && self.function.fn_name() == other.function.fn_name()
    }
}

/// The error for a file that registers on its top level.
pub(crate) const TOP_LEVEL: &str =
    "rules and hooks are registered in a function: write `fn registerRules() { ... }` around the call";

impl View {
    /// Finds the function that `function` points to: in the file of the registering call, then in the other `files`.
    ///
    /// # Errors
    /// The function is in none of the files, or it is a `private fn`, which Rhai calls only from the same file.
    pub fn find(files: &Files, context: &NativeCallContext, function: FnPtr) -> Fallible<View> {
        let mut candidates: Vec<Arc<File>> =
            context.call_source().and_then(|name| files.file(name)).into_iter().collect();
        candidates.extend(files.file(&files.main));
        candidates.extend(files.all());
        for file in candidates {
            // `Fn(n)` with a name computed at run time has the name before the renaming.
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
        // A file is registered after its top level has run.
        if context.call_source().is_some_and(|name| files.file(name).is_none()) {
            return Err(TOP_LEVEL.into());
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

    /// Returns the default endpoint: the function's name, or for a closure its position.
    pub fn endpoint(&self, at: Position) -> String {
        if self.function.is_anonymous() {
            return format!("closure_{}_{}", at.line().unwrap_or(0), at.position().unwrap_or(0));
        }
        names::shown(self.function.fn_name()).into_owned()
    }

    /// Returns the function's name for messages.
    pub fn name(&self) -> String {
        if self.function.is_anonymous() {
            "closure".to_owned()
        } else {
            format!("`{}`", names::shown(self.function.fn_name()))
        }
    }

    /// Returns the function if it can be called with `count` arguments.
    ///
    /// # Errors
    /// The function has another number of parameters. The text has `why` and the parameters.
    pub fn taking(self, count: usize, why: &str) -> Fallible<View> {
        if self.overloads.iter().any(|params| params.len() == count) {
            return Ok(self);
        }
        Err(format!("{why}, but {} takes `{}`", self.name(), signature(&self.overloads[0])).into())
    }

    /// Returns the bytes of the variables that the function has captured, up to somewhat more than `most`.
    pub(crate) fn captured(&self, most: usize) -> usize {
        captured::bytes(&self.function, most)
    }

    /// Binds the parameters to `variables` of `rule` by name.
    ///
    /// # Errors
    /// The names of the parameters and of the variables differ.
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

/// Converts the value of a URL variable to a script value.
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
