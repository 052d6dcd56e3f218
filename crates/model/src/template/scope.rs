//! What a template can see, as views that are lenient at any depth: a name that is not
//! there is nil, and so is everything below it.

use std::fmt;
use std::sync::LazyLock;

use liquid_core::model::{ArrayView, DisplayCow, KStringCow, ObjectView, Scalar, ScalarCow, State, Value, ValueView};
use serde_json::Value as Json;

use crate::Time;

/// A JSON value as Liquid sees it.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Nil,
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Fields),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    entries: Vec<(String, Node)>,
    /// `Profile.Email` finds `email`: names are compared without regard to case.
    any_case: bool,
}

static NIL: Node = Node::Nil;
static NOTHING: LazyLock<Fields> = LazyLock::new(Fields::default);

/// The names of one rendering. Bare names are looked up in the event's properties first and
/// the contact's attributes next.
pub struct Scope<'a> {
    contact: Node,
    profile: Node,
    event: Node,
    extra: Vec<(&'a str, Node)>,
}

impl<'a> Scope<'a> {
    /// `contact` and `event` are JSON objects; anything else counts as an empty one.
    pub fn new(contact: &Json, event: &Json, now: Time) -> Self {
        let extra = vec![("now", Node::from(&Json::from(now.to_string())))];
        Self { contact: Node::from(contact), profile: Node::any_case(contact), event: Node::from(event), extra }
    }

    /// The zone in which `date` prints; UTC where none is named.
    pub fn with_zone(self, zone: Option<&str>) -> Self {
        self.with([(ZONE, Json::from(zone.unwrap_or("UTC")))])
    }

    /// Adds names that come before the event's and the contact's.
    pub fn with(mut self, names: impl IntoIterator<Item = (&'a str, Json)>) -> Self {
        self.extra.extend(names.into_iter().map(|(name, value)| (name, Node::from(&value))));
        self
    }

    fn find(&self, name: &str) -> &Node {
        match name {
            "contact" => &self.contact,
            "Profile" => &self.profile,
            "event" | "Event" | "trigger" => &self.event,
            _ => self
                .extra
                .iter()
                .rev()
                .find_map(|(known, node)| (*known == name).then_some(node))
                .or_else(|| self.event.field(name))
                .or_else(|| self.contact.field(name))
                .unwrap_or(&NIL),
        }
    }

    /// Whether a path such as `contact.first_name` leads to something.
    pub fn knows(&self, path: &str) -> bool {
        let mut parts = path.split('.');
        let Some(first) = parts.next() else { return false };
        let found = parts.try_fold(self.find(first), |node, part| node.field(part));
        found.is_some_and(|node| !matches!(node, Node::Nil))
    }
}

/// The name under which the zone travels to the `date` filter. No template can say it.
pub(super) const ZONE: &str = "\u{1}zone";

impl Node {
    fn any_case(json: &Json) -> Self {
        match Self::from(json) {
            Self::Map(fields) => Self::Map(Fields { any_case: true, ..fields }),
            other => other,
        }
    }

    /// One entry of an object, as loops see it: its name, then its value.
    pub fn pair(name: &str, value: &dyn ValueView) -> Self {
        let value = serde_json::to_value(value.to_value()).unwrap_or(Json::Null);
        Self::List(vec![Self::Scalar(Scalar::new(name.to_owned())), Self::from(&value)])
    }

    fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(fields) => fields.field(name),
            _ => None,
        }
    }
}

impl From<&Json> for Node {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Nil,
            Json::Bool(flag) => Self::Scalar(Scalar::new(*flag)),
            Json::Number(number) => Self::Scalar(match number.as_i64() {
                Some(whole) => Scalar::new(whole),
                None => Scalar::new(number.as_f64().unwrap_or(0.0)),
            }),
            Json::String(text) => Self::Scalar(Scalar::new(text.clone())),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(map) => Self::Map(Fields {
                entries: map.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect(),
                any_case: false,
            }),
        }
    }
}

impl Fields {
    fn field(&self, name: &str) -> Option<&Node> {
        let exact = self.entries.iter().find(|(held, _)| held == name);
        let found = match self.any_case {
            true => exact.or_else(|| self.entries.iter().find(|(held, _)| held.eq_ignore_ascii_case(name))),
            false => exact,
        };
        found.map(|(_, node)| node)
    }
}

impl ValueView for Node {
    fn as_debug(&self) -> &dyn fmt::Debug {
        self
    }

    fn render(&self) -> DisplayCow<'_> {
        match self {
            Self::Nil => DisplayCow::Borrowed(&""),
            Self::Scalar(scalar) => scalar.render(),
            Self::List(items) => {
                DisplayCow::Owned(Box::new(items.iter().map(|i| i.render().to_string()).collect::<String>()))
            }
            Self::Map(_) => DisplayCow::Owned(Box::new(self.to_value().render().to_string())),
        }
    }

    fn source(&self) -> DisplayCow<'_> {
        match self {
            Self::Nil => DisplayCow::Borrowed(&"nil"),
            Self::Scalar(scalar) => scalar.source(),
            _ => DisplayCow::Owned(Box::new(self.to_value().source().to_string())),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Scalar(scalar) => scalar.type_name(),
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }

    fn query_state(&self, state: State) -> bool {
        match self {
            Self::Nil => match state {
                State::Truthy => false,
                State::DefaultValue | State::Empty | State::Blank => true,
            },
            Self::Scalar(scalar) => scalar.query_state(state),
            Self::List(items) => empty_state(items.is_empty(), state),
            Self::Map(fields) => empty_state(fields.entries.is_empty(), state),
        }
    }

    fn to_kstr(&self) -> KStringCow<'_> {
        match self {
            Self::Scalar(scalar) => scalar.to_kstr(),
            _ => KStringCow::from_string(self.render().to_string()),
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Scalar(scalar) => scalar.to_value(),
            Self::List(items) => Value::Array(items.iter().map(ValueView::to_value).collect()),
            Self::Map(fields) => Value::Object(
                fields.entries.iter().map(|(name, node)| (name.clone().into(), node.to_value())).collect(),
            ),
        }
    }

    fn as_scalar(&self) -> Option<ScalarCow<'_>> {
        match self {
            Self::Scalar(scalar) => Some(scalar.as_ref()),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<&dyn ArrayView> {
        matches!(self, Self::List(_)).then_some(self)
    }

    /// Nil has fields too, all of them nil: that is what makes a missing path harmless.
    fn as_object(&self) -> Option<&dyn ObjectView> {
        matches!(self, Self::Map(_) | Self::Nil).then_some(self)
    }

    fn is_nil(&self) -> bool {
        matches!(self, Self::Nil)
    }
}

fn empty_state(is_empty: bool, state: State) -> bool {
    match state {
        State::Truthy => true,
        State::DefaultValue | State::Empty | State::Blank => is_empty,
    }
}

impl ArrayView for Node {
    fn as_value(&self) -> &dyn ValueView {
        self
    }

    fn size(&self) -> i64 {
        match self {
            Self::List(items) => items.len() as i64,
            _ => 0,
        }
    }

    fn values<'k>(&'k self) -> Box<dyn Iterator<Item = &'k dyn ValueView> + 'k> {
        match self {
            Self::List(items) => Box::new(items.iter().map(|item| item as &dyn ValueView)),
            _ => Box::new(std::iter::empty()),
        }
    }

    fn contains_key(&self, index: i64) -> bool {
        index.unsigned_abs() < ArrayView::size(self).unsigned_abs()
    }

    fn get(&self, index: i64) -> Option<&dyn ValueView> {
        let Self::List(items) = self else { return Some(&NIL) };
        let at = if index < 0 { index + items.len() as i64 } else { index };
        Some(
            usize::try_from(at)
                .ok()
                .and_then(|at| items.as_slice().get(at))
                .map_or(&NIL as &dyn ValueView, |item| item),
        )
    }
}

impl Node {
    fn fields(&self) -> &Fields {
        match self {
            Self::Map(fields) => fields,
            _ => &NOTHING,
        }
    }
}

impl ObjectView for Node {
    fn as_value(&self) -> &dyn ValueView {
        self
    }

    fn size(&self) -> i64 {
        self.fields().entries.len() as i64
    }

    fn keys<'k>(&'k self) -> Box<dyn Iterator<Item = KStringCow<'k>> + 'k> {
        Box::new(self.fields().entries.iter().map(|(name, _)| KStringCow::from_ref(name)))
    }

    fn values<'k>(&'k self) -> Box<dyn Iterator<Item = &'k dyn ValueView> + 'k> {
        Box::new(self.fields().entries.iter().map(|(_, node)| node as &dyn ValueView))
    }

    fn iter<'k>(&'k self) -> Box<dyn Iterator<Item = (KStringCow<'k>, &'k dyn ValueView)> + 'k> {
        Box::new(self.fields().entries.iter().map(|(name, node)| (KStringCow::from_ref(name), node as &dyn ValueView)))
    }

    fn contains_key(&self, _: &str) -> bool {
        true
    }

    fn get<'s>(&'s self, index: &str) -> Option<&'s dyn ValueView> {
        match self.fields().field(index) {
            Some(node) => Some(node),
            // The engine answers `size` itself where no field has that name.
            None if index == "size" => None,
            None => Some(&NIL),
        }
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scope")
    }
}

impl ValueView for Scope<'_> {
    fn as_debug(&self) -> &dyn fmt::Debug {
        self
    }

    fn render(&self) -> DisplayCow<'_> {
        DisplayCow::Borrowed(&"")
    }

    fn source(&self) -> DisplayCow<'_> {
        DisplayCow::Borrowed(&"")
    }

    fn type_name(&self) -> &'static str {
        "object"
    }

    fn query_state(&self, state: State) -> bool {
        empty_state(false, state)
    }

    fn to_kstr(&self) -> KStringCow<'_> {
        KStringCow::from_static("")
    }

    fn to_value(&self) -> Value {
        Value::Nil
    }

    fn as_object(&self) -> Option<&dyn ObjectView> {
        Some(self)
    }
}

impl ObjectView for Scope<'_> {
    fn as_value(&self) -> &dyn ValueView {
        self
    }

    fn size(&self) -> i64 {
        0
    }

    fn keys<'k>(&'k self) -> Box<dyn Iterator<Item = KStringCow<'k>> + 'k> {
        Box::new(std::iter::empty())
    }

    fn values<'k>(&'k self) -> Box<dyn Iterator<Item = &'k dyn ValueView> + 'k> {
        Box::new(std::iter::empty())
    }

    fn iter<'k>(&'k self) -> Box<dyn Iterator<Item = (KStringCow<'k>, &'k dyn ValueView)> + 'k> {
        Box::new(std::iter::empty())
    }

    fn contains_key(&self, _: &str) -> bool {
        true
    }

    fn get<'s>(&'s self, index: &str) -> Option<&'s dyn ValueView> {
        Some(self.find(index))
    }
}
