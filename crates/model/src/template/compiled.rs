//! A whole mail as it was written, compiled: subject, preheader, HTML and text.

use serde::Serialize;

use super::front::{self, Front};
use super::liquid::{Escape, Liquid, RenderError};
use super::passes::{self, Passed};
use super::scope::Scope;
use super::{links, text};
use crate::{Problem, Problems};

/// What a template's body is written in: its file's ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Mjml,
    Html,
    Markdown,
    /// A mail of plain text alone.
    Text,
}

#[derive(Debug)]
pub struct Compiled {
    name: String,
    front: Front,
    subject: Liquid,
    body: Body,
    /// Paths used without a default, over subject, preheader and body.
    variables: Vec<String>,
    /// Hosts that the template itself writes out.
    hosts: Vec<String>,
}

#[derive(Debug)]
enum Body {
    Text(Liquid),
    Html {
        html: Liquid,
        text: Liquid,
        /// Values may have brought links of their own, past the guards.
        looks_again: bool,
    },
}

/// One rendered mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mail {
    pub subject: String,
    /// Empty for a mail of plain text alone.
    pub html: String,
    pub text: String,
    /// Paths that led to nothing and have no default.
    pub missing: Vec<String>,
    /// Link targets that were taken out, because their host is not one that the template
    /// writes or the operator allows.
    pub taken_links: Vec<String>,
    /// The HTML is so long that Gmail cuts it off.
    pub clipped: bool,
}

/// Gmail shows no more than this of a mail's HTML.
const CLIP: usize = 102 << 10;

impl Kind {
    pub fn parse(ending: &str) -> Option<Self> {
        match ending {
            "mjml" => Some(Self::Mjml),
            "html" => Some(Self::Html),
            "md" => Some(Self::Markdown),
            "txt" => Some(Self::Text),
            _ => None,
        }
    }
}

impl Compiled {
    /// Does once per version what does not depend on the contact. All problems at once,
    /// with their lines in the file.
    pub fn compile(name: &str, source: &str, kind: Kind) -> Result<Self, Problems> {
        let (front, body, first_line) = front::split(source)?;
        let mut problems = subject_problems(name, &front);
        let subject = kept(Liquid::parse(front.subject.trim(), Escape::Header), &mut problems, "subject", 0);
        let preheader = front.preheader.as_deref().unwrap_or_default();
        let preheader = kept(Liquid::parse(preheader, Escape::Html), &mut problems, "preheader", 0);
        let escape = if kind == Kind::Text { Escape::None } else { Escape::Html };
        let written = kept(Liquid::parse(body, escape), &mut problems, "", first_line - 1);
        let (Some(subject), Some(preheader), Some(written), true) = (subject, preheader, written, problems.is_empty())
        else {
            return Err(Problems(problems));
        };
        let mut variables: Vec<String> = Vec::new();
        for path in [&subject, &preheader, &written].into_iter().flat_map(|part| part.variables()) {
            if !variables.contains(path) {
                variables.push(path.clone());
            }
        }
        let hosts = links::written_hosts(body);
        let has_raw = written.has_raw() || preheader.has_raw();
        let made = match kind {
            Kind::Text => Ok(Body::Text(written)),
            _ => html_body(body, front.preheader.as_deref(), kind, has_raw),
        };
        match made {
            Ok(body) => Ok(Self { name: name.to_owned(), front, subject, body, variables, hosts }),
            Err(problem) => Err(Problems(vec![shifted(problem, first_line - 1)])),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn topic(&self) -> Option<&str> {
        self.front.topic.as_deref()
    }

    pub fn from(&self) -> Option<&str> {
        self.front.from.as_deref()
    }

    /// Paths used without a default, over subject, preheader and body.
    pub fn variables(&self) -> Vec<String> {
        self.variables.clone()
    }

    /// Renders for one contact. `link_hosts` are those that links made from data may lead to.
    pub fn render(&self, scope: &Scope<'_>, link_hosts: &[String]) -> Result<Mail, RenderError> {
        let hosts = [self.hosts.as_slice(), link_hosts];
        let (subject, mut met) = self.subject.render_guarded(scope, &hosts)?;
        let mut mail = Mail { subject, ..Mail::default() };
        let text = match &self.body {
            Body::Text(body) => {
                let (text, more) = body.render_guarded(scope, &hosts)?;
                met.add(more);
                text
            }
            Body::Html { html, text, looks_again } => {
                let (printed, more) = html.render_guarded(scope, &hosts)?;
                met.add(more);
                mail.html = printed;
                if *looks_again {
                    let (kept, taken) = links::keep_allowed(&mail.html, &|target| scope.allows(target, &hosts));
                    mail.html = kept;
                    met.taken.extend(taken);
                }
                mail.clipped = mail.html.len() > CLIP;
                text::tidy(&text.render_guarded(scope, &hosts)?.0)
            }
        };
        let (text, taken) = links::keep_allowed_text(text, &|target| scope.allows(target, &hosts));
        mail.text = text;
        met.taken.extend(taken);
        (mail.missing, mail.taken_links) = (met.missing, met.taken);
        mail.taken_links.sort_unstable();
        mail.taken_links.dedup();
        Ok(mail)
    }
}

fn subject_problems(name: &str, front: &Front) -> Vec<Problem> {
    let mut problems = Vec::new();
    if front.subject.trim().is_empty() {
        let remedy = "Put `subject: …` into the head of the file, between two lines `---`.";
        problems.push(Problem::error("no_subject", "subject", format!("the template `{name}` has no subject"), remedy));
    }
    let heads = [("subject", Some(&front.subject)), ("from", front.from.as_ref())];
    for (key, _) in heads.iter().filter(|(_, text)| text.is_some_and(|text| text.trim_end().contains(['\r', '\n']))) {
        problems.push(Problem::error(
            "subject_breaks",
            *key,
            format!("`{key}` is one line"),
            "Take the line break out.",
        ));
    }
    problems
}

fn kept(read: Result<Liquid, Problem>, problems: &mut Vec<Problem>, path: &str, lines: usize) -> Option<Liquid> {
    match read {
        Ok(liquid) => Some(liquid),
        Err(mut problem) => {
            problem.path = path.to_owned();
            // A place within a key of the head says nothing about the file.
            problem.place = problem.place.filter(|_| path.is_empty());
            problems.push(shifted(problem, lines));
            None
        }
    }
}

fn shifted(mut problem: Problem, lines: usize) -> Problem {
    if let Some(place) = &mut problem.place {
        place.line += lines;
    }
    problem
}

fn html_body(body: &str, preheader: Option<&str>, kind: Kind, has_raw: bool) -> Result<Body, Problem> {
    let Passed { html, text } = passes::run(body, preheader, kind)?;
    let made = |source: &str, escape| {
        Liquid::parse_made(source, escape).map_err(|mut problem| {
            // The place is one in what the passes have made.
            problem.place = None;
            problem.remedy = "Let each block begin and end within the same element.".to_owned();
            problem
        })
    };
    Ok(Body::Html { html: made(&html, Escape::Html)?, text: made(&text, Escape::Text)?, looks_again: has_raw })
}
