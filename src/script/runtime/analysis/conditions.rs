//! Conditions that are certainly no booleans. In Rhai a text, list or number is neither true nor false.

use super::walk::Walker;
use rhai::{Expr, FnCallExpr, Token};

/// Properties of `request` that are dictionaries. No value in them is a boolean.
const LOOKED_UP: [&str; 7] = ["args", "form", "values", "cookies", "headers", "baggage", "files"];

impl Walker<'_> {
    /// Checks the operand of `if`, `while` or `!`, or of `&&` and `||`.
    pub(super) fn condition(&mut self, condition: &Expr) {
        self.expression(condition);
        let Some(kind) = self.kind_of(condition) else { return };
        let hint = match kind {
            "a text" | "a list" | "a map" => {
                "compare it, as in `x.len() > 0`, or write `bool(x)` for Python's truth"
            }
            "a number" => "compare it, as in `n != 0`, or write `bool(n)` for Python's truth",
            "a text or ()" => "compare it, as in `x != ()`, or write `bool(x)` for Python's truth",
            "nothing" => "write `false`",
            _ => "write `bool(x)` for Python's truth, or compare it",
        };
        let message = format!("a condition is true or false, not {kind}");
        self.warn(condition.start_position(), message, Some(hint.to_owned()));
    }

    /// Returns the kind of `expression`, where it is certainly no boolean.
    fn kind_of(&self, expression: &Expr) -> Option<&'static str> {
        match expression {
            Expr::StringConstant(..) | Expr::InterpolatedString(..) | Expr::CharConstant(..) => {
                Some("a text")
            }
            Expr::IntegerConstant(..) | Expr::FloatConstant(..) => Some("a number"),
            Expr::Array(..) => Some("a list"),
            Expr::Map(..) => Some("a map"),
            Expr::Unit(_) => Some("nothing"),
            Expr::DynamicConstant(value, _) if value.is_array() => Some("a list"),
            Expr::DynamicConstant(value, _) if value.is_map() => Some("a map"),
            Expr::DynamicConstant(value, _) if value.is_fnptr() => Some("a function"),
            Expr::FnCall(call, _) => self.kind_of_call(call),
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => self.kind_of_chain(&parts.lhs, &parts.rhs),
            _ => None,
        }
    }

    /// Returns the kind of the result of an arithmetic operator or of `len(x)`.
    fn kind_of_call(&self, call: &FnCallExpr) -> Option<&'static str> {
        let is_number = match &call.op_token {
            Some(Token::Minus | Token::Multiply | Token::Divide | Token::Modulo | Token::PowerOf) => true,
            Some(_) => false,
            None => call.name == "len" && !call.is_qualified() && !self.facts.has_function("len"),
        };
        is_number.then_some("a number")
    }

    /// Returns the kind of `x.len()`, or of a part of `request`.
    fn kind_of_chain(&self, first: &Expr, rest: &Expr) -> Option<&'static str> {
        if let Expr::MethodCall(call, _) = rest {
            let is_length = call.name == "len" && call.args.is_empty() && !self.facts.has_function("len");
            return is_length.then_some("a number");
        }
        if self.receiver(first)?.path != "request" {
            return None;
        }
        let (member, method) = match rest {
            Expr::Dot(parts, ..) => (&parts.lhs, Some(&parts.rhs)),
            member => (member, None),
        };
        let Expr::Property(property, _) = member else { return None };
        if !LOOKED_UP.contains(&property.2.as_str()) {
            return None;
        }
        match method {
            None if property.2 == "headers" => Some("the headers"),
            None => Some("a dictionary"),
            Some(Expr::MethodCall(call, _)) => match (call.name.as_str(), call.args.len()) {
                ("get", 1) => Some("a text or ()"),
                ("len", _) => Some("a number"),
                _ => None,
            },
            Some(_) => None,
        }
    }
}
