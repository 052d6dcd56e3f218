//! Whether two campaigns' conditions cannot hold for one event. Only what is plain counts:
//! one property that would have to be two different things. In doubt they can.

use serde_json::Value;

use crate::campaign::Where;
use crate::campaign::correlate::same;
use crate::filter::{Filter, Join, Operator, Part};
use crate::value::as_number;

pub(super) fn disjoint(first: Option<&Where>, second: Option<&Where>) -> bool {
    let (Some(first), Some(second)) = (first, second) else {
        return false;
    };
    let others = needed(second);
    needed(first).iter().any(|one| others.iter().any(|other| apart(one, other)))
}

/// The conditions that must hold in any case: those joined by and, at any depth.
fn needed(filters: &Where) -> Vec<&Filter> {
    if filters.join() == Join::Any && filters.parts().len() != 1 {
        return Vec::new();
    }
    let parts = filters.parts().iter();
    parts
        .flat_map(|part| match part {
            Part::Filter(filter) => vec![filter],
            Part::Group(group) => needed(group),
        })
        .collect()
}

fn apart(one: &Filter, other: &Filter) -> bool {
    if (one.scope(), one.key()) != (other.scope(), other.key()) {
        return false;
    }
    let unset = |filter: &Filter| filter.operator() == Operator::IsNotSet;
    let present = |filter: &Filter| filter.operator() == Operator::IsSet || values(filter).is_some();
    if (unset(one) && present(other)) || (unset(other) && present(one)) {
        return true;
    }
    match (values(one), values(other)) {
        (Some(a), Some(b)) => !a.iter().any(|x| b.iter().any(|y| same(x, y))),
        (Some(a), None) => excludes(other, &a),
        (None, Some(b)) => excludes(one, &b),
        (None, None) => match (range(one), range(other)) {
            (Some(a), Some(b)) => a.is_below(b) || b.is_below(a),
            _ => false,
        },
    }
}

/// What the property must be one of.
fn values(filter: &Filter) -> Option<Vec<Value>> {
    if !matches!(filter.operator(), Operator::Exact | Operator::In) {
        return None;
    }
    Some(match filter.value() {
        Value::Array(any) => any.clone(),
        one => vec![one.clone()],
    })
}

/// Whether none of the values passes the filter.
fn excludes(filter: &Filter, given: &[Value]) -> bool {
    match filter.operator() {
        Operator::IsNot | Operator::NotIn => {
            let refused = match filter.value() {
                Value::Array(any) => any.clone(),
                one => vec![one.clone()],
            };
            given.iter().all(|value| refused.iter().any(|no| same(no, value)))
        }
        _ => range(filter).is_some_and(|range| {
            let numbers: Option<Vec<f64>> = given.iter().map(as_number).collect();
            numbers.is_some_and(|numbers| numbers.iter().all(|n| !range.holds(*n)))
        }),
    }
}

/// Numbers between two ends, each of which may or may not belong to it.
#[derive(Clone, Copy)]
struct Range {
    low: (f64, bool),
    high: (f64, bool),
}

impl Range {
    fn is_below(self, other: Self) -> bool {
        self.high.0 < other.low.0 || (self.high.0 == other.low.0 && !(self.high.1 && other.low.1))
    }

    fn holds(self, number: f64) -> bool {
        let point = Self { low: (number, true), high: (number, true) };
        !(self.is_below(point) || point.is_below(self))
    }
}

fn range(filter: &Filter) -> Option<Range> {
    let (least, most) = ((f64::NEG_INFINITY, true), (f64::INFINITY, true));
    let number = || as_number(filter.value());
    Some(match filter.operator() {
        Operator::Gt => Range { low: (number()?, false), high: most },
        Operator::Gte | Operator::Min => Range { low: (number()?, true), high: most },
        Operator::Lt => Range { low: least, high: (number()?, false) },
        Operator::Lte | Operator::Max => Range { low: least, high: (number()?, true) },
        Operator::Between => {
            let [low, high] = filter.value().as_array()?.as_slice() else {
                return None;
            };
            Range { low: (as_number(low)?, true), high: (as_number(high)?, true) }
        }
        _ => return None,
    })
}
