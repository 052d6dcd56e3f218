//! From the text of `hogwire.yaml` to its document: interpolation, merging, and every
//! mistake with its place.
//!
//! `${NAME}` and `${NAME:-default}` are filled in after the YAML is read, so that a value
//! can never become syntax. What came from the environment is told by its name in every
//! message, never by its value. Several `connectors` blocks are merged key by key; any other
//! key that stands twice is a mistake.

use std::collections::BTreeMap;

use hogwire_model::campaign::document::{Key, MOST_BYTES, MOST_DEPTH, Shape, Tree, fill};
use hogwire_model::problem::Place;
use hogwire_model::{Problem, Problems};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

use super::document::Document;

/// The environment, as a map so that tests can bring their own.
pub type Environment = BTreeMap<String, String>;

/// What was read, and what deserves a look.
#[derive(Default)]
pub struct Read {
    pub document: Document,
    pub warnings: Vec<Problem>,
    /// Where each value stands, by its path.
    pub places: BTreeMap<String, Place>,
}

pub fn document(text: &str, environment: &Environment) -> Result<Read, Problems> {
    if text.trim().is_empty() {
        return Ok(Read::default());
    }
    let mut tree = parse(text).map_err(|problem| Problems(vec![problem]))?;
    let mut filling = Filling { environment, secrets: Vec::new(), faults: Vec::new(), warnings: Vec::new() };
    unify(&mut tree, "", &mut filling.faults);
    filling.interpolate(&mut tree, "");
    let Filling { secrets, mut faults, warnings, .. } = filling;
    if matches!(tree.shape, Shape::Null) && faults.is_empty() {
        return Ok(Read { warnings, ..Read::default() });
    }
    let mut places = BTreeMap::new();
    mark(&tree, String::new(), &mut places);
    match fill::<Document>(tree) {
        Ok(document) if faults.is_empty() => Ok(Read { document, warnings, places }),
        Ok(_) => Err(Problems(faults)),
        Err(Problems(more)) => {
            faults.extend(more.into_iter().map(|problem| redacted(problem, &secrets)));
            faults.sort_by_key(|problem| problem.place.map(|place| (place.line, place.column)));
            Err(Problems(faults))
        }
    }
}

fn mark(tree: &Tree, path: String, places: &mut BTreeMap<String, Place>) {
    if let Shape::Map(pairs) = &tree.shape {
        for (key, value) in pairs {
            mark(value, joined(&path, &key.name), places);
        }
    }
    places.insert(path, tree.place);
}

fn parse(text: &str) -> Result<Tree, Problem> {
    if text.len() > MOST_BYTES {
        let message = format!("the file has {} bytes", text.len());
        return Err(Problem::error("document_too_large", "", message, format!("keep it below {MOST_BYTES} bytes")));
    }
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MOST_DEPTH,
            flow_nesting_limit: MOST_DEPTH,
            max_nodes: 100_000,
            max_events: 400_000,
            max_documents: 1,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        with_snippet: false,
    };
    let read = serde_saphyr::from_str_with_options::<Spanned<Shape>>(text, options);
    read.map(Tree::from).map_err(|error| {
        let message = error.to_string();
        let message = message.lines().next().unwrap_or("it is not YAML").to_owned();
        let problem = Problem::error("unreadable_document", "", message, "mend the YAML at this place");
        let position = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        match error.location() {
            Some(location) => problem.at(position(location.line()), position(location.column())),
            None => problem,
        }
    })
}

/// Merges the blocks of `connectors`, and notes every other key that stands twice.
fn unify(tree: &mut Tree, path: &str, faults: &mut Vec<Problem>) {
    match &mut tree.shape {
        Shape::List(items) => {
            for (n, item) in items.iter_mut().enumerate() {
                unify(item, &format!("{path}[{n}]"), faults);
            }
        }
        Shape::Map(pairs) => {
            let mut kept: Vec<(Key, Tree)> = Vec::with_capacity(pairs.len());
            for (key, mut value) in std::mem::take(pairs) {
                let inside = joined(path, &key.name);
                unify(&mut value, &inside, faults);
                match kept.iter_mut().find(|(earlier, _)| earlier.name == key.name) {
                    None => kept.push((key, value)),
                    Some((_, earlier)) if inside == "connectors" => merge(earlier, value),
                    Some(_) => faults.push(twice(&key, &inside)),
                }
            }
            *pairs = kept;
        }
        _ => {}
    }
}

fn twice(key: &Key, path: &str) -> Problem {
    let message = format!("`{}` is here twice", key.name);
    Problem::error("duplicate_key", path, message, "keep one of them").at(key.place.line, key.place.column)
}

/// Maps are joined key by key; of anything else the later one holds.
fn merge(earlier: &mut Tree, later: Tree) {
    match (&mut earlier.shape, later) {
        (Shape::Map(held), Tree { shape: Shape::Map(pairs), .. }) => {
            for (key, value) in pairs {
                match held.iter_mut().find(|(known, _)| known.name == key.name) {
                    Some((_, known)) => merge(known, value),
                    None => held.push((key, value)),
                }
            }
        }
        (_, Tree { shape: Shape::Null, .. }) => {}
        (_, later) => *earlier = later,
    }
}

struct Filling<'e> {
    environment: &'e Environment,
    /// Values that came from the environment, with the names they came by.
    secrets: Vec<(String, String)>,
    faults: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Filling<'_> {
    fn interpolate(&mut self, tree: &mut Tree, path: &str) {
        let place = tree.place;
        match &mut tree.shape {
            Shape::Text(text) if text.contains("${") => {
                let text = std::mem::take(text);
                tree.shape = self.filled(&text, path, place);
            }
            Shape::List(items) => {
                for (n, item) in items.iter_mut().enumerate() {
                    self.interpolate(item, &format!("{path}[{n}]"));
                }
            }
            Shape::Map(pairs) => {
                for (key, value) in pairs {
                    self.interpolate(value, &joined(path, &key.name));
                }
            }
            _ => {}
        }
    }

    fn filled(&mut self, text: &str, path: &str, place: Place) -> Shape {
        let (mut out, mut rest, mut missing) = (String::new(), text, None);
        while let Some(at) = rest.find("${") {
            out.push_str(&rest[..at]);
            let Some(length) = rest[at..].find('}') else {
                let message = format!("`{}` has no closing brace", &rest[at..]);
                let problem = Problem::error("bad_interpolation", path, message, "write ${NAME} or ${NAME:-default}");
                self.faults.push(problem.at(place.line, place.column));
                return Shape::Gone;
            };
            let inside = &rest[at + 2..at + length];
            rest = &rest[at + length + 1..];
            if out.ends_with('$') {
                // `$${NAME}` is the text `${NAME}`.
                out.push('{');
                out.push_str(inside);
                out.push('}');
                continue;
            }
            let (name, default) = match inside.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (inside, None),
            };
            match self.environment.get(name).filter(|value| !value.is_empty()) {
                Some(value) => {
                    self.secrets.push((value.clone(), name.to_owned()));
                    out.push_str(value);
                }
                None => match default {
                    Some(default) => out.push_str(default),
                    None => missing = Some(name.to_owned()),
                },
            }
        }
        out.push_str(rest);
        match missing {
            Some(name) if text == format!("${{{name}}}") => self.absent(&name, path, place),
            Some(name) => self.fault_of_missing(&name, path, place),
            None => plain(out),
        }
    }

    /// The whole value is a variable that is not set: it counts as not written.
    fn absent(&mut self, name: &str, path: &str, place: Place) -> Shape {
        let message = format!("{name} is not set, so `{path}` counts as absent");
        let problem = Problem::warning("variable_not_set", path, message, format!("set {name}, or leave the line out"));
        self.warnings.push(problem.at(place.line, place.column));
        Shape::Null
    }

    fn fault_of_missing(&mut self, name: &str, path: &str, place: Place) -> Shape {
        let message = format!("{name} is not set");
        let remedy = format!("set {name}, or write ${{{name}:-default}}");
        self.faults.push(Problem::error("variable_not_set", path, message, remedy).at(place.line, place.column));
        Shape::Gone
    }
}

/// A value from the environment is text; where it is exactly a number or a flag, it is that.
fn plain(text: String) -> Shape {
    match text.as_str() {
        "true" => return Shape::Bool(true),
        "false" => return Shape::Bool(false),
        "" => return Shape::Null,
        _ => {}
    }
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => Shape::Number(number.into()),
        _ => Shape::Text(text),
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn redacted(mut problem: Problem, secrets: &[(String, String)]) -> Problem {
    for (value, name) in secrets.iter().filter(|(value, _)| value.len() > 2) {
        problem.message = problem.message.replace(value, &format!("${{{name}}}"));
        problem.remedy = problem.remedy.replace(value, &format!("${{{name}}}"));
    }
    problem
}
