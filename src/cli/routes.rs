//! `h1mock routes`: prints the rules of a provision, and of overlays before it.

use super::check::{load_provision, print};
use crate::provisioning::layers::{Layers, Overlay, OverlayId};
use crate::provisioning::load::with_rules;
use crate::provisioning::provision::Provision;
use crate::provisioning::rule_row::RuleRow;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Prints the rules of one provision as a table, in the order of registration. With `overlays`, the newest last, prints the rules of all
/// layers in the order in which a request tries them.
///
/// # Errors
/// A file can't be read or does not load: the report of the fault.
pub(crate) fn routes(path: &Path, overlays: &[PathBuf], budget: Budget) -> Result<ExitCode, String> {
    let base = load_provision(path, budget, Conditions::default())?;
    let mut layers = Layers { generation: 1, base: Arc::new(base), overlays: Vec::new() };
    for path in overlays.iter().rev() {
        let values = Some(layers.base.files.values.clone());
        let overlay = load_provision(path, budget, Conditions { values, ..Conditions::default() })?;
        let provision = with_rules(overlay).map_err(|error| error.report().trim_end().to_owned())?;
        let id = OverlayId { name: provision.name.clone(), member: None };
        layers.overlays.push(Overlay { id, provision: provision.into(), until: None });
    }
    print(&if overlays.is_empty() { of_provision(&layers.base) } else { of_layers(&layers) });
    Ok(ExitCode::SUCCESS)
}

/// The names of the columns that each table has.
const COLUMNS: [&str; 5] = ["RULE", "METHODS", "ENDPOINT", "CONVERTERS", "LINE"];
/// The column that follows where requests are forwarded.
const FORWARDS_TO: &str = "FORWARDS TO";

fn cells(row: RuleRow) -> [String; 5] {
    let line = format!("{}:{}", row.file, row.line);
    [row.rule, row.methods.join(","), row.endpoint, row.converters, line]
}

/// Returns the row for requests that no rule matches, if `provision` forwards them.
fn unmatched(provision: &Provision) -> Option<([String; 5], String)> {
    let forward = provision.forward_unmatched.as_ref()?;
    let [rule, methods] = ["(unmatched)", "*"].map(str::to_owned);
    Some(([rule, methods, String::new(), String::new(), String::new()], forward.url.to_string()))
}

fn of_provision(provision: &Provision) -> String {
    let rows = provision.rules(0).into_iter().map(|mut row| {
        let to = row.forwards_to.take().unwrap_or_default();
        (cells(row), to)
    });
    let rows: Vec<([String; 5], String)> = rows.chain(unmatched(provision)).collect();
    if rows.iter().all(|(_, to)| to.is_empty()) {
        return table(COLUMNS, rows.into_iter().map(|(cells, _)| cells));
    }
    let [rule, methods, endpoint, converters, line] = COLUMNS;
    let rows = rows.into_iter().map(|([rule, methods, endpoint, converters, line], to)| {
        [rule, methods, endpoint, converters, line, to]
    });
    table([rule, methods, endpoint, converters, line, FORWARDS_TO], rows)
}

fn of_layers(layers: &Layers) -> String {
    let [rule, methods, endpoint, converters, line] = COLUMNS;
    let (base, overlays) = layers.rows(0);
    let names =
        layers.overlays.iter().map(|overlay| (format!("overlay {}", overlay.id.name), &overlay.provision));
    let names = names.chain([("base".to_owned(), &layers.base)]);
    let rows = overlays.into_iter().map(|overlay| overlay.rules).chain([base]);
    let rows = names.zip(rows).flat_map(|((name, provision), rows)| {
        provision
            .router
            .order()
            .iter()
            .map(|&index| rows[index].clone())
            .map(move |mut row| {
                let shadow = row.shadowed_by.take().unwrap_or_default();
                let [rule, methods, endpoint, converters, line] = cells(row);
                [name.clone(), rule, methods, endpoint, converters, line, shadow]
            })
            .collect::<Vec<_>>()
    });
    table(["LAYER", rule, methods, endpoint, converters, line, "SHADOWED BY"], rows)
}

/// Returns lines whose columns are as wide as their widest cell.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
