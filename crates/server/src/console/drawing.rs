//! A campaign drawn: steps in layers from the trigger down, ways between them as curves.
//!
//! A plain layered layout: each step lies below all that lead to it, long ways pass through
//! places of their own, and a few sweeps order each layer by where its neighbours lie. Ways
//! back (loops) are drawn beside the steps. Pure: from a graph to SVG text.

use std::collections::HashMap;

use hogwire_engine::views::campaigns::{Graph, Node};

use super::words::{cut, escape, number, segment, title};

const WIDTH: f64 = 216.0;
const HEIGHT: f64 = 58.0;
const PITCH: f64 = 122.0;
const GAP: f64 = 36.0;
const MARGIN: f64 = 16.0;
/// Wider drawings scroll instead of shrinking.
const FITS: f64 = 560.0;
const SWEEPS: usize = 6;

enum Kind<'g> {
    Start,
    Step(&'g Node),
    /// Where a run ends.
    End,
    /// A long way passes through this layer.
    Passing,
}

struct Item<'g> {
    kind: Kind<'g>,
    layer: usize,
    x: f64,
}

impl Item<'_> {
    fn width(&self) -> f64 {
        match self.kind {
            Kind::Start | Kind::Step(_) => WIDTH,
            Kind::End => 40.0,
            Kind::Passing => 24.0,
        }
    }

    fn top(&self) -> f64 {
        MARGIN + self.layer as f64 * PITCH
    }

    fn height(&self) -> f64 {
        match self.kind {
            Kind::End => 14.0,
            _ => HEIGHT,
        }
    }
}

/// One way: the items it passes, first and last among them.
struct Way<'g> {
    through: Vec<usize>,
    label: &'g str,
}

#[derive(Default)]
struct Drawing<'g> {
    items: Vec<Item<'g>>,
    ways: Vec<Way<'g>>,
    back: Vec<(usize, usize, &'g str)>,
    layers: Vec<Vec<usize>>,
}

/// The whole drawing. `campaign` is its id, for the links of its steps.
pub fn svg(graph: &Graph, campaign: &str) -> String {
    let mut drawing = Drawing::of(graph);
    drawing.order();
    drawing.place();
    drawing.write(graph, campaign)
}

impl<'g> Drawing<'g> {
    fn of(graph: &'g Graph) -> Self {
        let mut drawing = Self::default();
        drawing.items.push(Item { kind: Kind::Start, layer: 0, x: 0.0 });
        let mut places: HashMap<&str, usize> = HashMap::new();
        for node in &graph.nodes {
            places.insert(&node.id, drawing.items.len());
            drawing.items.push(Item { kind: Kind::Step(node), layer: 1, x: 0.0 });
        }
        let mut forward: Vec<(usize, usize, &str)> = Vec::new();
        if drawing.items.len() > 1 {
            forward.push((0, 1, ""));
        }
        for edge in &graph.edges {
            let Some(from) = places.get(edge.from.as_str()).copied() else { continue };
            match places.get(edge.to.as_str()).copied() {
                Some(to) if to > from => forward.push((from, to, &edge.label)),
                Some(to) => drawing.back.push((from, to, &edge.label)),
                None => {
                    forward.push((from, drawing.items.len(), &edge.label));
                    drawing.items.push(Item { kind: Kind::End, layer: 1, x: 0.0 });
                }
            }
        }
        // Steps come in reading order, so one pass from above finds the longest way to each.
        forward.sort_by_key(|(from, _, _)| *from);
        for (from, to, _) in &forward {
            drawing.items[*to].layer = drawing.items[*to].layer.max(drawing.items[*from].layer + 1);
        }
        for (from, to, label) in forward {
            drawing.lead(from, to, label);
        }
        let deepest = drawing.items.iter().map(|item| item.layer).max().unwrap_or(0);
        drawing.layers = vec![Vec::new(); deepest + 1];
        for place in 0..drawing.items.len() {
            drawing.layers[drawing.items[place].layer].push(place);
        }
        drawing
    }

    /// Lays a way, with a place in every layer that it passes.
    fn lead(&mut self, from: usize, to: usize, label: &'g str) {
        let mut through = vec![from];
        for layer in self.items[from].layer + 1..self.items[to].layer {
            through.push(self.items.len());
            self.items.push(Item { kind: Kind::Passing, layer, x: 0.0 });
        }
        through.push(to);
        self.ways.push(Way { through, label });
    }

    /// Neighbours above (`up`) or below each item.
    fn neighbours(&self, up: bool) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new(); self.items.len()];
        for pair in self.ways.iter().flat_map(|way| way.through.windows(2)) {
            let (at, other) = if up { (pair[1], pair[0]) } else { (pair[0], pair[1]) };
            all[at].push(other);
        }
        all
    }

    /// Orders each layer by the middle of its neighbours, down and up again.
    fn order(&mut self) {
        let (above, below) = (self.neighbours(true), self.neighbours(false));
        let mut rank: Vec<f64> = vec![0.0; self.items.len()];
        for layer in &self.layers {
            for (at, item) in layer.iter().enumerate() {
                rank[*item] = at as f64;
            }
        }
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let near = if down { &above } else { &below };
            let count = self.layers.len();
            for step in 0..count {
                let layer = &mut self.layers[if down { step } else { count - 1 - step }];
                let middle = |item: usize| mean(near[item].iter().map(|other| rank[*other])).unwrap_or(rank[item]);
                let mut keyed: Vec<(f64, usize)> = layer.iter().map(|item| (middle(*item), *item)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                *layer = keyed.into_iter().map(|(_, item)| item).collect();
                for (at, item) in layer.iter().enumerate() {
                    rank[*item] = at as f64;
                }
            }
        }
    }

    /// Puts each item under and over its neighbours, as far apart as they must be.
    fn place(&mut self) {
        let (above, below) = (self.neighbours(true), self.neighbours(false));
        for layer in self.layers.clone() {
            self.spread(&layer, |_| None);
        }
        for sweep in 0..SWEEPS {
            let down = sweep % 2 == 0;
            let count = self.layers.len();
            for step in 0..count {
                let layer = self.layers[if down { step } else { count - 1 - step }].clone();
                let near = if down { &above } else { &below };
                let wishes: HashMap<usize, f64> = layer
                    .iter()
                    .filter_map(|item| Some((*item, mean(near[*item].iter().map(|other| self.items[*other].x))?)))
                    .collect();
                self.spread(&layer, |item| wishes.get(&item).copied());
            }
        }
        let left = self.items.iter().map(|item| item.x - item.width() / 2.0).fold(f64::MAX, f64::min);
        for item in &mut self.items {
            item.x += MARGIN - left;
        }
    }

    fn spread(&mut self, layer: &[usize], wish: impl Fn(usize) -> Option<f64>) {
        let mut edge = f64::MIN;
        let mut off = Vec::new();
        for item in layer {
            let half = self.items[*item].width() / 2.0;
            let wished = wish(*item).unwrap_or(self.items[*item].x);
            let x = wished.max(edge + half);
            off.push(wished - x);
            self.items[*item].x = x;
            edge = x + half + GAP;
        }
        // All were pushed to the right; half of that goes back.
        let shift = mean(off.into_iter()).unwrap_or(0.0);
        for item in layer {
            self.items[*item].x += shift;
        }
    }

    fn write(&self, graph: &Graph, campaign: &str) -> String {
        let beside = if self.back.is_empty() { 0.0 } else { 70.0 };
        let right = self.items.iter().map(|item| item.x + item.width() / 2.0).fold(0.0, f64::max);
        let (width, height) =
            (right + MARGIN + beside, self.layers.len() as f64 * PITCH - PITCH + HEIGHT + 2.0 * MARGIN);
        let fits = if width <= FITS { " fits" } else { "" };
        let mut out = format!(
            "<svg class=\"graph{fits}\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" \
             role=\"group\" aria-label=\"The campaign's steps\"><defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" \
             refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>"
        );
        for way in &self.ways {
            out.push_str(&self.curve(way));
        }
        for (from, to, _) in &self.back {
            out.push_str(&self.loop_back(*from, *to));
        }
        for way in &self.ways {
            out.push_str(&self.label(way));
        }
        for item in &self.items {
            match item.kind {
                Kind::Start => out.push_str(&start(item, &graph.trigger)),
                Kind::Step(node) => out.push_str(&step(item, node, campaign)),
                Kind::End => {
                    let middle = item.top() + 7.0;
                    out.push_str(&format!(
                        "<circle class=\"end\" cx=\"{:.0}\" cy=\"{middle:.0}\" r=\"6\"><title>The run ends</title></circle>",
                        item.x
                    ));
                }
                Kind::Passing => {}
            }
        }
        out.push_str("</svg>");
        out
    }

    fn curve(&self, way: &Way<'_>) -> String {
        let mut path = String::new();
        for (at, pair) in way.through.windows(2).enumerate() {
            let (a, b) = (&self.items[pair[0]], &self.items[pair[1]]);
            let (from, to) = (a.top() + a.height(), b.top());
            let bend = (to - from) / 2.0;
            if at == 0 {
                path.push_str(&format!("M{:.0} {from:.0}", a.x));
            } else {
                // Straight through the layer that is passed.
                path.push_str(&format!("L{:.0} {from:.0}", a.x));
            }
            let (first, second) = (from + bend, to - bend);
            path.push_str(&format!("C{:.0} {first:.0} {:.0} {second:.0} {:.0} {to:.0}", a.x, b.x, b.x));
        }
        format!("<path class=\"way\" d=\"{path}\" marker-end=\"url(#tip)\"/>")
    }

    fn loop_back(&self, from: usize, to: usize) -> String {
        let (a, b) = (&self.items[from], &self.items[to]);
        let (x1, y1) = (a.x + WIDTH / 2.0, a.top() + HEIGHT / 2.0);
        let (x2, y2) = (b.x + WIDTH / 2.0, b.top() + HEIGHT / 2.0);
        let out = x1.max(x2) + 60.0;
        format!(
            "<path class=\"way back\" d=\"M{x1:.0} {y1:.0}C{out:.0} {y1:.0} {out:.0} {y2:.0} {x2:.0} {y2:.0}\" \
             marker-end=\"url(#tip)\"/>"
        )
    }

    /// The label near the beginning of its way, on a ground of its own.
    fn label(&self, way: &Way<'_>) -> String {
        if way.label.is_empty() || way.through.len() < 2 {
            return String::new();
        }
        let (a, b) = (&self.items[way.through[0]], &self.items[way.through[1]]);
        let x = a.x + (b.x - a.x) * 0.5;
        let y = (a.top() + a.height() + b.top()) / 2.0;
        let text = cut(way.label, 26);
        let half = text.chars().count() as f64 * 3.1 + 7.0;
        format!(
            "<rect class=\"way-back\" x=\"{:.0}\" y=\"{:.0}\" width=\"{:.0}\" height=\"18\" rx=\"4\"/>\
             <text class=\"way-label\" x=\"{x:.0}\" y=\"{:.0}\">{}</text>",
            x - half,
            y - 9.0,
            half * 2.0,
            y + 4.0,
            escape(&text)
        )
    }
}

fn start(item: &Item<'_>, trigger: &str) -> String {
    let (left, top) = (item.x - WIDTH / 2.0, item.top());
    format!(
        "<g class=\"start\"><title>{}</title><rect class=\"box\" x=\"{left:.0}\" y=\"{top:.0}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" rx=\"29\"/><text class=\"kind\" x=\"{:.0}\" y=\"{:.0}\">Starts on</text>\
         <text x=\"{:.0}\" y=\"{:.0}\">{}</text></g>",
        escape(trigger),
        left + 26.0,
        top + 22.0,
        left + 26.0,
        top + 41.0,
        escape(cut(trigger, 24))
    )
}

fn step(item: &Item<'_>, node: &Node, campaign: &str) -> String {
    let (left, top) = (item.x - WIDTH / 2.0, item.top());
    let standing = number(node.standing);
    let wide = standing.chars().count() as f64 * 7.5 + 16.0;
    let count = if node.standing == 0 {
        String::new()
    } else {
        let (x, middle) = (left + WIDTH - wide - 8.0, left + WIDTH - wide / 2.0 - 8.0);
        format!(
            "<rect class=\"count\" x=\"{x:.0}\" y=\"{:.0}\" width=\"{wide:.0}\" height=\"22\" rx=\"11\"/>\
             <text class=\"count-text\" x=\"{middle:.0}\" y=\"{:.0}\">{standing}</text>",
            top + 7.0,
            top + 22.0
        )
    };
    format!(
        "<a id=\"step-{}\" href=\"/console/campaigns/{}/steps/{}\" aria-label=\"{}: {}, {standing} standing here\"><title>{}</title>\
         <rect class=\"box\" x=\"{left:.0}\" y=\"{top:.0}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"10\"/>\
         <rect class=\"edge-of-kind kind-{}\" x=\"{:.0}\" y=\"{:.0}\" width=\"4\" height=\"{:.0}\" rx=\"2\"/>\
         <text class=\"kind\" x=\"{:.0}\" y=\"{:.0}\">{}</text><text x=\"{:.0}\" y=\"{:.0}\">{}</text>{count}</a>",
        escape(&node.id),
        escape(segment(campaign)),
        escape(segment(&node.id)),
        node.kind,
        escape(&node.label),
        escape(&node.label),
        node.kind,
        left + 9.0,
        top + 12.0,
        HEIGHT - 24.0,
        left + 22.0,
        top + 22.0,
        escape(title(node.kind)),
        left + 22.0,
        top + 41.0,
        escape(cut(&node.label, 27))
    )
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hogwire_engine::views::campaigns::Edge;

    fn graph(steps: &[&str], edges: &[(&str, &str, &str)]) -> Graph {
        let node = |id: &&str| Node { id: (*id).to_owned(), label: format!("Step <{id}>"), kind: "email", standing: 3 };
        let edge = |(from, to, label): &(&str, &str, &str)| Edge {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
            label: (*label).to_owned(),
        };
        Graph {
            trigger: "order & more".to_owned(),
            nodes: steps.iter().map(node).collect(),
            edges: edges.iter().map(edge).collect(),
        }
    }

    #[test]
    fn no_two_steps_of_a_layer_overlap() {
        let edges = [
            ("0", "1", "yes"),
            ("0", "2", "no"),
            ("0", "3", "maybe"),
            ("1", "4", ""),
            ("2", "4", ""),
            ("3", "", ""),
            ("0", "4", "skip"),
        ];
        let graph = graph(&["0", "1", "2", "3", "4"], &edges);
        let mut drawing = Drawing::of(&graph);
        drawing.order();
        drawing.place();
        for layer in &drawing.layers {
            for pair in layer.windows(2) {
                let (a, b) = (&drawing.items[pair[0]], &drawing.items[pair[1]]);
                assert!(a.x + a.width() / 2.0 < b.x - b.width() / 2.0, "two items of a layer overlap");
            }
        }
        assert!(drawing.items.iter().all(|item| item.x - item.width() / 2.0 >= MARGIN - 0.01));
    }

    #[test]
    fn a_step_lies_below_all_that_lead_to_it() {
        let graph = graph(&["0", "1", "2"], &[("0", "1", ""), ("1", "2", ""), ("0", "2", "")]);
        let drawing = Drawing::of(&graph);
        let layers: Vec<usize> = drawing.items[..4].iter().map(|item| item.layer).collect();
        assert_eq!(layers, [0, 1, 2, 3]);
    }

    #[test]
    fn names_are_text_and_loops_are_drawn() {
        let svg = svg(&graph(&["0", "1"], &[("0", "1", "2 times"), ("1", "0", "")]), "a/b");
        assert!(svg.contains("order &amp; more") && svg.contains("Step &lt;0&gt;") && !svg.contains("<0>"));
        assert!(svg.contains("way back") && svg.contains("/console/campaigns/a%2Fb/steps/1"));
    }

    #[test]
    fn a_campaign_without_steps_is_drawn_too() {
        assert!(svg(&graph(&[], &[]), "empty").contains("Starts on"));
    }
}
