//! `h1mock routes`: prints the rules of a provision, and of overlays before it.

use super::check::{expand, load, load_provision, print, print_error};
use crate::provisioning::layers::{Layers, Overlay, OverlayId};
use crate::provisioning::load::with_rules;
use crate::provisioning::provision::{Loaded, Provision};
use crate::provisioning::rule_row::RuleRow;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::system::paint::Paint;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Prints the rules of one provision as a table, in the order of registration. With `overlays`, the newest last, prints the rules of all
/// layers in the order in which a request tries them. For a folder, prints the rules of each provision in it.
///
/// # Errors
/// A file can't be read or does not load: the report of the fault.
pub(crate) fn routes(
    path: &Path,
    overlays: &[PathBuf],
    budget: Budget,
    paint: Paint,
) -> Result<ExitCode, String> {
    if path.is_dir() {
        return match overlays {
            [] => of_folder(path, budget, paint),
            _ => {
                Err(format!("failed to use `--overlay`: `{}` is a folder; name a file in it", path.display()))
            }
        };
    }
    let base = load_provision(path, budget, Conditions::default())?;
    let mut layers = Layers { generation: 1, base: Arc::new(base), overlays: Vec::new() };
    for path in overlays.iter().rev() {
        let values = Some(layers.base.files.values.clone());
        let overlay = load_provision(path, budget, Conditions { values, ..Conditions::default() })?;
        let provision = with_rules(overlay).map_err(|error| error.report().trim_end().to_owned())?;
        let id = OverlayId { name: provision.name.clone(), member: None };
        layers.overlays.push(Overlay { id, provision: provision.into(), until: None });
    }
    print(&if overlays.is_empty() { of_provision(&layers.base, paint) } else { of_layers(&layers, paint) });
    Ok(ExitCode::SUCCESS)
}

/// Prints the rules of each provision in folder `path`, under its name.
fn of_folder(path: &Path, budget: Budget, paint: Paint) -> Result<ExitCode, String> {
    let engine = Arc::new(script::engine(budget));
    let (mut tables, mut has_failed) = (Vec::new(), false);
    for file in expand(&[path.to_owned()])? {
        match load(&engine, budget, &file, Conditions::default()) {
            Ok(Loaded::Provision(provision)) => {
                tables.push(format!("{}:\n{}", file.display(), of_provision(&provision, paint)));
            }
            Ok(Loaded::Library(_)) => {}
            Err(error) => {
                has_failed = true;
                print_error(&format!("error: {}", error.report()));
            }
        }
    }
    if tables.is_empty() && !has_failed {
        return Err(format!("`{}` has no provision", path.display()));
    }
    if !tables.is_empty() {
        print(&tables.join("\n\n"));
    }
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
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

/// Returns the rules of `provision` as a table, in the order of registration.
pub(crate) fn of_provision(provision: &Provision, paint: Paint) -> String {
    let rows = provision.rules(0).into_iter().map(|mut row| {
        let to = row.forwards_to.take().unwrap_or_default();
        (cells(row), to)
    });
    let rows: Vec<([String; 5], String)> = rows.chain(unmatched(provision)).collect();
    if rows.iter().all(|(_, to)| to.is_empty()) {
        return table(paint, COLUMNS, rows.into_iter().map(|(cells, _)| cells));
    }
    let [rule, methods, endpoint, converters, line] = COLUMNS;
    let rows = rows.into_iter().map(|([rule, methods, endpoint, converters, line], to)| {
        [rule, methods, endpoint, converters, line, to]
    });
    table(paint, [rule, methods, endpoint, converters, line, FORWARDS_TO], rows)
}

fn of_layers(layers: &Layers, paint: Paint) -> String {
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
    table(paint, ["LAYER", rule, methods, endpoint, converters, line, "SHADOWED BY"], rows)
}

/// Returns lines whose columns are as wide as their widest cell. The head is dim, and the methods have a colour.
fn table<const N: usize>(paint: Paint, head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |(index, row): (usize, &[String; N])| {
        let cell = |((cell, width), name): ((&String, &usize), &&str)| {
            let padded = format!("{cell:<width$}");
            if index > 0 && *name == COLUMNS[1] { paint.cyan(&padded).into_owned() } else { padded }
        };
        let cells: Vec<String> = row.iter().zip(&widths).zip(&head).map(cell).collect();
        let line = cells.join("  ").trim_end().to_owned();
        if index == 0 { paint.dim(&line).into_owned() } else { line }
    };
    rows.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}
