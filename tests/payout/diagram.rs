//! The state diagram in the documentation: drawn from the transitions, and compared with the file that
//! the documentation includes. `BLESS=1 cargo test -p bolt12-tests --test payout diagram` writes it anew.

use std::collections::BTreeMap;
use std::f64::consts::FRAC_PI_2;
use std::fmt::Write;

use crate::state::transitions;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/payout/state/states.svg");

/// Half the size of a state's box.
const HALF: (f64, f64) = (58.0, 20.0);

/// Where each state stands, and on which side an arrow to itself is drawn: an angle, 0 is to the right.
const STATES: [(&str, f64, f64, f64); 6] = [
    ("Active", 80.0, 130.0, 0.0),
    ("Claimed", 330.0, 130.0, -FRAC_PI_2),
    ("ClaimedPaid", 650.0, 130.0, -FRAC_PI_2),
    ("Disabled", 80.0, 380.0, 0.0),
    ("Closing", 330.0, 380.0, FRAC_PI_2),
    ("Used", 650.0, 380.0, FRAC_PI_2),
];

/// How far an arrow bends to its left, in pixels, and where along it the label stands, from 0 to 1. A pair
/// that is not named here is straight, with its label in the middle.
const SHAPES: [(&str, &str, f64, f64); 12] = [
    ("Active", "Claimed", 30.0, 0.5),
    ("Claimed", "Active", 30.0, 0.5),
    ("Disabled", "Closing", 30.0, 0.5),
    ("Closing", "Disabled", 30.0, 0.5),
    ("ClaimedPaid", "Used", -46.0, 0.5),
    ("Used", "ClaimedPaid", -46.0, 0.5),
    ("Active", "Used", 0.0, 0.28),
    ("Claimed", "Used", 0.0, 0.24),
    ("Closing", "ClaimedPaid", 0.0, 0.24),
    ("Disabled", "Used", -106.0, 0.4),
    ("Active", "Disabled", 0.0, 0.62),
    ("Claimed", "Closing", 0.0, 0.74),
];

#[test]
fn the_diagram_in_the_documentation_shows_every_transition() {
    let drawn = draw();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(FILE, &drawn).unwrap();
    }
    let kept = std::fs::read_to_string(FILE).unwrap();
    assert!(kept == drawn, "src/payout/state/states.svg is not what the transitions draw: BLESS=1 writes it");
}

fn draw() -> String {
    let mut edges: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (from, to, events) in transitions() {
        let labels = edges.entry((from, to)).or_default();
        let label = events.join(" + ");
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 20 760 490\" role=\"img\" \
         aria-labelledby=\"payout-states\" style=\"max-width:100%;height:auto\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"none\" stroke=\"currentColor\">\n<title id=\"payout-states\">",
    );
    let sentences =
        edges.iter().map(|((from, to), labels)| format!("{from} to {to}: {}.", labels.join(", ")));
    svg.push_str(&sentences.collect::<Vec<_>>().join(" "));
    svg.push_str(
        "</title>\n<defs><marker id=\"payout-arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" \
         markerWidth=\"8\" markerHeight=\"8\" orient=\"auto-start-reverse\"><path d=\"M0 0L8 4L0 8z\" \
         fill=\"currentColor\" stroke=\"none\"/></marker></defs>\n",
    );
    for ((from, to), labels) in &edges {
        if from == to { to_itself(&mut svg, from, labels) } else { arrow(&mut svg, from, to, labels) }
    }
    for (name, x, y, _) in STATES {
        let (left, top) = (x - HALF.0, y - HALF.1);
        let (width, height) = (2.0 * HALF.0, 2.0 * HALF.1);
        writeln!(
            svg,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"8\" \
             stroke-width=\"1.5\"/>"
        )
        .unwrap();
        text(&mut svg, x, y + 5.0, name, true);
    }
    svg.push_str("</svg>\n");
    svg
}

fn arrow(svg: &mut String, from: &str, to: &str, labels: &[String]) {
    let shape = SHAPES.iter().find(|(a, b, ..)| (*a, *b) == (from, to));
    let (bend, at) = shape.map_or((0.0, 0.5), |(_, _, bend, at)| (*bend, *at));
    let ((x1, y1, _), (x2, y2, _)) = (place(from), place(to));
    let length = (x2 - x1).hypot(y2 - y1);
    let (dx, dy) = ((x2 - x1) / length, (y2 - y1) / length);
    // The control point of a quadratic curve: twice as far out as the curve itself.
    let (cx, cy) = ((x1 + x2) / 2.0 - dy * bend * -2.0, (y1 + y2) / 2.0 + dx * bend * -2.0);
    let (sx, sy) = edge_of(from, cx, cy);
    let (ex, ey) = edge_of(to, cx, cy);
    writeln!(
        svg,
        "<path d=\"M{sx:.0} {sy:.0}Q{cx:.0} {cy:.0} {ex:.0} {ey:.0}\" marker-end=\"url(#payout-arrow)\"/>"
    )
    .unwrap();
    let curve = |a: f64, b: f64, c: f64| {
        let rest = 1.0 - at;
        rest * rest * a + 2.0 * rest * at * b + at * at * c
    };
    labelled(svg, curve(sx, cx, ex), curve(sy, cy, ey), labels);
}

fn to_itself(svg: &mut String, state: &str, labels: &[String]) {
    let (x, y, side) = place(state);
    let (up, reach) = (side.sin(), 46.0);
    let (left, right, edge, far) = (x - 24.0, x + 24.0, y + up * HALF.1, y + up * (HALF.1 + reach));
    writeln!(
        svg,
        "<path d=\"M{left:.0} {edge:.0}C{left:.0} {far:.0} {right:.0} {far:.0} {right:.0} {edge:.0}\" \
         marker-end=\"url(#payout-arrow)\"/>"
    )
    .unwrap();
    labelled(svg, x, y + up * (HALF.1 + reach + 2.0), labels);
}

/// The point where the line from the middle of a state towards (x, y) leaves its box.
fn edge_of(state: &str, x: f64, y: f64) -> (f64, f64) {
    let (cx, cy, _) = place(state);
    let (dx, dy) = (x - cx, y - cy);
    let scale = (HALF.0 / dx.abs()).min(HALF.1 / dy.abs());
    (cx + dx * scale, cy + dy * scale)
}

fn labelled(svg: &mut String, x: f64, y: f64, labels: &[String]) {
    let mut line = y + 11.5 - labels.iter().map(|_| 7.5).sum::<f64>();
    for label in labels {
        text(svg, x, line, label, false);
        line += 15.0;
    }
}

/// Text in the reader's colour. Labels have an outline in the page's colour, so that lines do not cross them.
fn text(svg: &mut String, x: f64, y: f64, label: &str, is_name: bool) {
    let style = if is_name {
        "font-weight=\"bold\" stroke=\"none\""
    } else {
        "stroke=\"var(--main-background-color, white)\" stroke-width=\"6\" paint-order=\"stroke\" \
         stroke-linejoin=\"round\""
    };
    writeln!(
        svg,
        "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"middle\" fill=\"currentColor\" {style}>{label}</text>"
    )
    .unwrap();
}

fn place(state: &str) -> (f64, f64, f64) {
    let (_, x, y, side) = STATES.iter().find(|(name, ..)| *name == state).unwrap();
    (*x, *y, *side)
}
