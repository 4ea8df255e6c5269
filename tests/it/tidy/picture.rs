//! Draws `docs/rooms.svg`: the rooms from top to bottom, and the imports between them.

use super::house::House;
use std::collections::BTreeMap;
use std::fmt::Write;

const ROW: usize = 26;
const TOP: usize = 54;
const NAMES: usize = 150;
const JOBS: usize = 560;
/// Rooms through which the two flows pass.
const FLOWS: [(&str, &str); 2] = [("serving", "#2f6f9f"), ("provisioning", "#a8620f")];
const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#222}.room{font-weight:600}.small{font-size:11px;fill:#666}\
rect.row{fill:#f4f4f1}rect.own{fill:#ddd}circle{fill:#444}@media(prefers-color-scheme:dark){svg{background:#1c1c1c}text{fill:#ddd}.small{fill:#999}\
rect.row{fill:#262626}rect.own{fill:#3a3a3a}circle{fill:#bbb}}";

/// Draws a row for each room, and a dot where it imports from the room of a column. All dots are right of the diagonal, since
/// imports point down.
pub(super) fn draw(house: &House) -> String {
    let count = house.rooms.len();
    let (left, width) = (NAMES + JOBS, NAMES + JOBS + count * ROW + 12);
    let height = TOP + count * ROW + 12;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"The rooms of src/ from the roof to the cellar, and who imports whom\">\n<style>{STYLE}</style>\n"
    );
    let _ = writeln!(
        svg,
        "<text class=\"small\" x=\"{left}\" y=\"18\">imports from room (a larger dot: from more files)</text>"
    );
    let mut imports: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for edge in house.edges() {
        *imports.entry((house.floor(&edge.from), house.floor(&edge.to))).or_default() += 1;
    }
    for (number, room) in house.rooms.iter().enumerate() {
        let (y, middle) = (TOP + number * ROW, TOP + number * ROW + ROW / 2 + 4);
        let column = left + number * ROW + ROW / 2;
        let flow = FLOWS.iter().find(|(name, _)| *name == room.name);
        let colour = flow.map(|(_, colour)| format!(" style=\"fill:{colour}\"")).unwrap_or_default();
        let cell = left + number * ROW;
        if number.is_multiple_of(2) {
            let _ =
                writeln!(svg, "<rect class=\"row\" x=\"0\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\"/>");
        }
        let _ =
            writeln!(svg, "<rect class=\"own\" x=\"{cell}\" y=\"{y}\" width=\"{ROW}\" height=\"{ROW}\"/>");
        let _ = writeln!(
            svg,
            "<text class=\"small\" x=\"8\" y=\"{middle}\">{}</text><text class=\"room\"{colour} x=\"30\" y=\"{middle}\">{}</text><text x=\"{NAMES}\" y=\"{middle}\">{}</text><text class=\"small\" text-anchor=\"middle\" x=\"{column}\" y=\"{}\">{}</text>",
            number + 1,
            room.name,
            escape(&room.job),
            TOP - 14,
            number + 1,
        );
    }
    for ((from, to), files) in imports {
        let (x, y) = (left + to * ROW + ROW / 2, TOP + from * ROW + ROW / 2);
        let radius = match files {
            1 => 2,
            2..=4 => 4,
            5..=9 => 6,
            _ => 8,
        };
        let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");
    }
    svg + "</svg>\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "")
}
