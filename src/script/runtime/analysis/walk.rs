//! The walk over one file: statements and expressions in their order, with the variables and imports that each of them sees.

use super::facts::{Facts, imported, is_closure};
use super::scopes::Scopes;
use super::{Finding, MOST_FINDINGS, World};
use crate::script::runtime::{load_time, tokens};
use rhai::{
    AST, ASTFlags, ASTNode, Dynamic, Expr, FnCallExpr, FnPtr, ImmutableString, Map, Module, Position,
    ScriptFuncDef, Shared, Stmt, StmtBlock,
};
use std::collections::HashSet;

pub(super) struct Walker<'w> {
    pub world: &'w World<'w>,
    pub facts: &'w Facts,
    pub scopes: Scopes,
    /// Whether the walk is in a named function, which can't change variables of the top level.
    pub in_function: bool,
    /// The number of variables around the closure, and those that it captures.
    pub around: (usize, Vec<ImmutableString>),
    found: &'w mut Vec<Finding>,
    /// Names that maps of any file have as keys or by assignment, and names in `is_def_var` and the like.
    pub keys: &'w mut HashSet<String>,
}

impl<'w> Walker<'w> {
    pub(super) fn new(
        world: &'w World<'w>,
        facts: &'w Facts,
        found: &'w mut Vec<Finding>,
        keys: &'w mut HashSet<String>,
    ) -> Walker<'w> {
        Walker {
            world,
            facts,
            scopes: Scopes::default(),
            in_function: false,
            around: Default::default(),
            found,
            keys,
        }
    }

    pub(super) fn warn(&mut self, at: Position, message: String, hint: Option<String>) {
        self.add(Finding { hint, ..self.finding(at, message) });
    }

    pub(super) fn finding(&self, at: Position, message: String) -> Finding {
        let file = self.facts.name.clone();
        Finding { file, at, message, hint: None, unless: None, only_if_fails: false }
    }

    /// Whether the load has [`MOST_FINDINGS`] findings.
    pub(super) fn has_enough(&self) -> bool {
        self.found.len() >= MOST_FINDINGS
    }

    pub(super) fn add(&mut self, finding: Finding) {
        // An expression without a place comes from Rhai, not from the script.
        if !finding.at.is_none() && !self.has_enough() {
            self.found.push(finding);
        }
    }

    /// Walks over the top level, then over each function.
    pub(super) fn file(&mut self, ast: &AST) {
        self.open_comment();
        ast.statements().iter().for_each(|statement| self.statement(statement));
        let facts = self.facts;
        for (_, function) in facts.functions() {
            self.scopes = Scopes::new(&facts.imports);
            self.in_function = true;
            self.function(function, 0);
        }
    }

    fn open_comment(&mut self) {
        let text = self.world.files.text(&self.facts.name).unwrap_or_default();
        let Some((line, column)) = tokens::open_comment(&text) else { return };
        let at = Position::new(u16::try_from(line).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(1));
        let hint = "end it by `*/`: all that stands behind it in this file belongs to it".to_owned();
        self.warn(at, "this comment has no end".to_owned(), Some(hint));
    }

    /// Walks over a function, or over a closure at its place. The first `captured` parameters of a closure are variables that
    /// are visible there.
    fn function(&mut self, function: &Shared<ScriptFuncDef>, captured: usize) {
        // Rhai shows the statements of a function only in a walk over a tree, so this tree has only the function.
        let mut alone = Module::new();
        alone.set_script_fn(function.clone());
        let around = (self.scopes.mark().0, function.params.iter().take(captured).cloned().collect());
        let before = std::mem::replace(&mut self.around, around);
        self.scoped(function.params.iter().skip(captured), |walker| {
            AST::new_from_module(alone).walk(&mut |path: &[ASTNode]| {
                if let [ASTNode::Stmt(statement)] = path {
                    walker.statement(statement);
                }
                true
            });
        });
        self.around = before;
    }

    fn closure(&mut self, name: &str, captured: usize) {
        let facts = self.facts;
        // Rhai keeps one of several closures with the same text.
        if let Some(function) = facts.bodies(name).first() {
            self.function(function, captured);
        }
    }

    fn block<'v>(&mut self, variables: impl IntoIterator<Item = &'v ImmutableString>, block: &StmtBlock) {
        self.scoped(variables, |walker| {
            block.statements().iter().for_each(|statement| walker.statement(statement));
        });
    }

    /// Runs `walk` with `variables` in scope.
    fn scoped<'v>(
        &mut self,
        variables: impl IntoIterator<Item = &'v ImmutableString>,
        walk: impl FnOnce(&mut Self),
    ) {
        let mark = self.scopes.mark();
        variables.into_iter().for_each(|variable| self.scopes.add(variable.clone()));
        walk(self);
        self.scopes.rewind(mark);
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::If(flow, _) => {
                self.condition(&flow.expr);
                self.block([], &flow.body);
                self.block([], &flow.branch);
            }
            Stmt::While(flow, _) => {
                // A `loop` has no condition.
                if !matches!(flow.expr, Expr::Unit(_)) {
                    self.condition(&flow.expr);
                }
                self.block([], &flow.body);
            }
            Stmt::Do(flow, ..) => {
                self.block([], &flow.body);
                self.condition(&flow.expr);
            }
            Stmt::For(parts, _) => {
                let (item, counter, flow) = &**parts;
                self.expression(&flow.expr);
                self.block([item].into_iter().chain(counter).map(|variable| &variable.name), &flow.body);
            }
            Stmt::TryCatch(flow, _) => {
                self.block([], &flow.body);
                let caught = match &flow.expr {
                    Expr::Variable(variable, ..) => Some(&variable.1),
                    _ => None,
                };
                self.block(caught, &flow.branch);
            }
            Stmt::Switch(parts, _) => {
                self.expression(&parts.0);
                for case in &parts.1.expressions {
                    self.condition(&case.lhs);
                    self.expression(&case.rhs);
                }
            }
            Stmt::Var(variable, ..) => {
                self.expression(&variable.1);
                self.scopes.add(variable.0.name.clone());
            }
            Stmt::Assignment(parts) => {
                self.expression(&parts.1.rhs);
                self.assignment(&parts.1.lhs);
            }
            Stmt::FnCall(call, at) => self.call(call, *at),
            Stmt::Block(block) => self.block([], block),
            Stmt::Expr(expression) => self.expression(expression),
            Stmt::BreakLoop(Some(value), ..) | Stmt::Return(Some(value), ..) => self.expression(value),
            Stmt::Import(import, _) => {
                self.expression(&import.0);
                let file = imported(self.world.files, &import.0);
                self.scopes.add_import(&import.1.name, file);
            }
            _ => {}
        }
    }

    pub(super) fn expression(&mut self, expression: &Expr) {
        // The load fails anyway.
        if load_time::over().is_some() {
            return;
        }
        match expression {
            Expr::DynamicConstant(value, at) => self.constant(value, *at),
            Expr::InterpolatedString(parts, at) => {
                self.end_of_text(parts.last(), *at);
                self.expressions(parts);
            }
            Expr::Array(parts, _) => self.expressions(parts),
            Expr::Map(parts, _) => {
                for (key, value) in &parts.0 {
                    self.keys.insert(key.name.to_string());
                    self.expression(value);
                }
            }
            Expr::Variable(variable, _, at) => self.variable(&variable.1, &variable.2, *at),
            Expr::Stmt(block) => self.block([], block),
            Expr::FnCall(call, at) => self.call(call, *at),
            Expr::Dot(..) | Expr::Index(..) => self.chain(expression),
            Expr::And(operands, _) | Expr::Or(operands, _) => {
                operands.iter().for_each(|operand| self.condition(operand));
            }
            Expr::Coalesce(operands, _) => self.expressions(&**operands),
            _ => {}
        }
    }

    /// Warns of `\n` at the end of a text in back-ticks: there it is a backslash and a letter.
    fn end_of_text(&mut self, last: Option<&Expr>, at: Position) {
        if matches!(last, Some(Expr::StringConstant(text, _)) if text.ends_with(r"\n")) {
            let message = r"in back-ticks `\n` is a backslash and an n".to_owned();
            self.warn(at, message, Some(r#"add the line end: `...` + "\n""#.to_owned()));
        }
    }

    pub(super) fn expressions<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expr>) {
        expressions.into_iter().for_each(|expression| self.expression(expression));
    }

    /// Checks a value that Rhai has made of constant parts: it may have closures and names of functions in it.
    fn constant(&mut self, value: &Dynamic, at: Position) {
        if let Some(function) = value.read_lock::<FnPtr>() {
            if is_closure(function.fn_name()) {
                self.closure(function.fn_name(), 0);
            } else {
                self.named(function.fn_name(), at);
            }
        } else if let Some(items) = value.read_lock::<rhai::Array>() {
            items.iter().for_each(|item| self.constant(item, at));
        } else if let Some(map) = value.read_lock::<Map>() {
            self.keys.extend(map.keys().map(|key| key.as_str().to_owned()));
            map.values().for_each(|value| self.constant(value, at));
        }
    }

    /// Walks over a closure that captures variables, which Rhai's parser writes as a call of `curry`. Returns whether `call` is such a
    /// closure.
    pub(super) fn captures(&mut self, call: &FnCallExpr) -> bool {
        let [Expr::DynamicConstant(value, _), captured @ ..] = call.args.as_slice() else { return false };
        let Some(function) = value.read_lock::<FnPtr>() else { return false };
        let is_capture = call.name == "curry" && is_closure(function.fn_name());
        if is_capture {
            self.closure(function.fn_name(), captured.len());
        }
        is_capture
    }

    /// Checks the parts of a chain in order: variable, property, method, index.
    fn chain(&mut self, expression: &Expr) {
        let (Expr::Dot(parts, flags, _) | Expr::Index(parts, flags, _)) = expression else { return };
        self.changed(&parts.lhs, &parts.rhs);
        let mut is_dot = matches!(expression, Expr::Dot(..));
        let mut receiver = self.receiver(&parts.lhs);
        if receiver.is_none() {
            self.expression(&parts.lhs);
        }
        let (mut rest, mut ends) = (&parts.rhs, flags.contains(ASTFlags::BREAK));
        loop {
            // Rhai nests the rest of a chain to the right.
            let next = match rest {
                Expr::Dot(parts, flags, _) | Expr::Index(parts, flags, _) if !ends => Some((parts, flags)),
                _ => None,
            };
            let here = next.map_or(rest, |(parts, _)| &parts.lhs);
            receiver = if is_dot {
                self.member(receiver, here)
            } else {
                self.expression(here);
                None
            };
            let Some((parts, flags)) = next else { return };
            is_dot = matches!(rest, Expr::Dot(..));
            (rest, ends) = (&parts.rhs, flags.contains(ASTFlags::BREAK));
        }
    }
}
