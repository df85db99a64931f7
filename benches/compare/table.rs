//! The results: measured once, shown as text, JSON lines, Markdown or a chart.

use std::fmt::Write;

use serde::Serialize;

use super::clock::in_turns;
use super::heap;
use measured::floor::Unit;
use measured::operations::Operation;

/// One row. LDK's members are `None` where it has no such operation.
#[derive(Clone, Debug)]
pub struct Row {
    pub operation: &'static str,
    pub target: f64,
    pub ours_ns: f64,
    pub ldk_ns: Option<f64>,
    pub floor_ns: Option<f64>,
    pub ours_heap: heap::Heap,
    pub ldk_heap: Option<heap::Heap>,
}

/// A row as one JSON object.
#[derive(Serialize)]
struct Line {
    operation: &'static str,
    ours_ns: f64,
    ldk_ns: Option<f64>,
    ratio: Option<f64>,
    floor_ns: Option<f64>,
    ours_heap_calls: u64,
    ldk_heap_calls: Option<u64>,
}

impl Row {
    /// Measures an operation, and the units of the floor in the same turns.
    pub fn measure(operation: &Operation, rounds: usize) -> Self {
        let units = Unit::ALL.map(Unit::work);
        let mut sides: Vec<&dyn Fn()> = vec![&operation.ours];
        sides.extend(operation.ldk.as_ref().map(|ldk| ldk as &dyn Fn()));
        let measured = sides.len();
        sides.extend(units.iter().map(|unit| unit as &dyn Fn()));
        let times = in_turns(&sides, rounds);
        let unit_ns = |unit| times[measured + Unit::ALL.iter().position(|one| *one == unit).unwrap()];
        Self {
            operation: operation.name,
            target: operation.target,
            ours_ns: times[0],
            ldk_ns: operation.ldk.as_ref().map(|_| times[1]),
            floor_ns: operation.floor.ns(unit_ns),
            ours_heap: heap::count(&operation.ours),
            ldk_heap: operation.ldk.as_ref().map(heap::count),
        }
    }

    /// LDK's time divided by ours.
    fn ratio(&self) -> Option<f64> {
        self.ldk_ns.map(|ldk| ldk / self.ours_ns)
    }

    fn over_floor(&self) -> Option<f64> {
        self.floor_ns.map(|floor| self.ours_ns / floor)
    }

    /// Against LDK at least the target; without LDK at most the target times the floor.
    fn reaches_target(&self) -> bool {
        match self.ratio() {
            Some(ratio) => ratio >= self.target,
            None => self.over_floor().is_some_and(|over| over <= self.target),
        }
    }

    /// At most half of LDK's heap calls where it makes 4 or more, and never more than it.
    fn reaches_heap_target(&self) -> bool {
        match self.ldk_heap.map(|heap| heap.calls) {
            Some(ldk @ 4..) => self.ours_heap.calls * 2 <= ldk,
            Some(ldk) => self.ours_heap.calls <= ldk,
            None => true,
        }
    }

    pub fn json(&self) -> String {
        let round = |ns: f64| (ns * 10.0).round() / 10.0;
        serde_json::to_string(&Line {
            operation: self.operation,
            ours_ns: round(self.ours_ns),
            ldk_ns: self.ldk_ns.map(round),
            ratio: self.ratio().map(|ratio| (ratio * 1000.0).round() / 1000.0),
            floor_ns: self.floor_ns.map(round),
            ours_heap_calls: self.ours_heap.calls,
            ldk_heap_calls: self.ldk_heap.map(|heap| heap.calls),
        })
        .unwrap()
    }

    fn cells(&self) -> [String; 9] {
        let micros = |ns: f64| format!("{:.2}", ns / 1000.0);
        let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
        let heap = |heap: heap::Heap| format!("{} / {}", heap.calls, heap.bytes);
        let mark = |reached: bool| if reached { "" } else { " (!)" };
        let target = match self.ldk_ns {
            Some(_) => format!(">= {}{}", self.target, mark(self.reaches_target())),
            None => format!("<= {} x floor{}", self.target, mark(self.reaches_target())),
        };
        [
            self.operation.to_owned(),
            micros(self.ours_ns),
            or_dash(self.ldk_ns.map(micros)),
            or_dash(self.ratio().map(|ratio| format!("{ratio:.2}"))),
            target,
            or_dash(self.floor_ns.map(micros)),
            or_dash(self.over_floor().map(|over| format!("{over:.2}"))),
            format!("{}{}", heap(self.ours_heap), mark(self.reaches_heap_target())),
            or_dash(self.ldk_heap.map(heap)),
        ]
    }
}

const HEADINGS: [&str; 9] = [
    "operation",
    "ours, us",
    "LDK, us",
    "ratio",
    "target",
    "floor, us",
    "ours / floor",
    "heap calls / bytes, ours",
    "LDK's",
];

/// The rows as lines of cells of equal width; with bars between and a rule below the headings it is Markdown too.
pub fn text(rows: &[Row]) -> String {
    let lines: Vec<[String; 9]> =
        std::iter::once(HEADINGS.map(str::to_owned)).chain(rows.iter().map(Row::cells)).collect();
    lines_of(&lines)
}

/// Any table, its first line the headings, the first column text and the others numbers.
pub fn lines_of<const N: usize>(lines: &[[String; N]]) -> String {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut out = String::new();
    for (place, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            if column == 0 {
                write!(out, "| {cell:<width$} ").unwrap();
            } else {
                write!(out, "| {cell:>width$} ").unwrap();
            }
        }
        out.push_str("|\n");
        if place == 0 {
            let rule = |(column, width): (usize, &usize)| match column {
                0 => format!("|{}", "-".repeat(width + 2)),
                _ => format!("|{}:", "-".repeat(width + 1)),
            };
            out.extend(widths.iter().enumerate().map(rule));
            out.push_str("|\n");
        }
    }
    out
}

/// The rows as a chart: for each operation the floor, our time and LDK's, as parts of LDK's.
pub fn svg(rows: &[Row], machine: &str) -> String {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.ldk_ns.is_some()).collect();
    let (left, span, step, top) = (330.0, 400.0, 34.0, 64.0);
    let height = rows.iter().fold(top + 16.0, |height, _| height + step);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"860\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"16\" font-weight=\"bold\">Time per operation, LDK = 100 %</text>\n\
         <text x=\"16\" y=\"46\" fill=\"#555\">{machine}</text>\n\
         <text x=\"560\" y=\"24\"><tspan fill=\"#b9bec7\">■</tspan> LDK <tspan fill=\"#f28c28\">■</tspan> bolt12 \
         <tspan fill=\"#3b3f46\">■</tspan> floor</text>\n"
    );
    for (place, row) in (0u16..).zip(rows) {
        let y = top + f64::from(place) * step;
        let ldk = row.ldk_ns.unwrap_or(row.ours_ns);
        let ours = span * row.ours_ns / ldk;
        let floor = span * row.floor_ns.unwrap_or(0.0) / ldk;
        let ratio = ldk / row.ours_ns;
        writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{left}\" y=\"{y}\" width=\"{span}\" height=\"8\" fill=\"#b9bec7\"/>\n\
             <rect x=\"{left}\" y=\"{}\" width=\"{ours:.1}\" height=\"8\" fill=\"#f28c28\"/>\n\
             <rect x=\"{left}\" y=\"{}\" width=\"{floor:.1}\" height=\"4\" fill=\"#3b3f46\"/>\n\
             <text x=\"{}\" y=\"{}\">{ratio:.1} times</text>",
            left - 10.0,
            y + 14.0,
            row.operation,
            y + 8.0,
            y + 16.0,
            left + span + 10.0,
            y + 14.0,
        )
        .unwrap();
    }
    out.push_str("</svg>\n");
    out
}
