//! A whole mail as it was written, compiled: subject, preheader, HTML and text.

use serde::Serialize;

use super::front::{self, Front};
use super::liquid::{Escape, Liquid, RenderError};
use super::scope::Scope;
use super::{links, mjml, shield};
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
    preheader: Option<Liquid>,
    body: Liquid,
    is_text: bool,
    hosts: Vec<String>,
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
const TEXT_WIDTH: usize = 78;

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
    /// Does once per version what does not depend on the contact.
    pub fn compile(name: &str, source: &str, kind: Kind) -> Result<Self, Problems> {
        let (front, body, first_line) = front::split(source)?;
        let mut problems = Vec::new();
        let mut keep = |problem: Problem| problems.push(problem);
        if front.subject.trim().is_empty() {
            let remedy = "Put `subject: …` into the head of the file, between two lines `---`.";
            keep(Problem::error("no_subject", "subject", format!("the template `{name}` has no subject"), remedy));
        }
        if front.subject.trim_end().contains(['\r', '\n']) {
            keep(Problem::error("subject_breaks", "subject", "a subject is one line", "Take the line break out."));
        }
        let html = match kind {
            Kind::Text => Ok(body.to_owned()),
            other => to_html(body, other, first_line),
        };
        let escape = if kind == Kind::Text { Escape::None } else { Escape::Html };
        let body_liquid = Liquid::parse(body, escape).map_err(|problem| shifted(problem, first_line));
        let ready = html.and_then(|html| match body_liquid {
            Ok(_) => Liquid::parse(&html, escape),
            Err(problem) => Err(problem),
        });
        let subject = Liquid::parse(front.subject.trim(), Escape::Header);
        let preheader = front.preheader.as_deref().map(|text| Liquid::parse(text, Escape::Html)).transpose();
        match (ready, subject, preheader) {
            (Ok(body_ready), Ok(subject), Ok(preheader)) if problems.is_empty() => Ok(Self {
                name: name.to_owned(),
                hosts: links::written_hosts(body),
                front,
                subject,
                preheader,
                body: body_ready,
                is_text: kind == Kind::Text,
            }),
            (body, subject, preheader) => {
                problems.extend([body.err(), subject.err(), preheader.err()].into_iter().flatten());
                Err(Problems(problems))
            }
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

    /// Paths used without a default, over subject and body.
    pub fn variables(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        let parts = [Some(&self.subject), self.preheader.as_ref(), Some(&self.body)];
        for path in parts.into_iter().flatten().flat_map(Liquid::variables) {
            if !all.contains(path) {
                all.push(path.clone());
            }
        }
        all
    }

    /// Renders for one contact. `link_hosts` are those that links made from data may lead to.
    pub fn render(&self, scope: &Scope<'_>, link_hosts: &[String]) -> Result<Mail, RenderError> {
        let subject = self.subject.render(scope)?;
        let body = self.body.render(scope)?;
        let mut mail = Mail { subject: subject.text, missing: subject.missing, ..Mail::default() };
        mail.missing.extend(body.missing.into_iter().filter(|path| !mail.missing.contains(path)).collect::<Vec<_>>());
        if self.is_text {
            mail.text = body.text;
            return Ok(mail);
        }
        let mut html = body.text;
        if let Some(preheader) = &self.preheader {
            html = with_preheader(&html, &preheader.render(scope)?.text);
        }
        let allowed: Vec<String> = self.hosts.iter().chain(link_hosts).cloned().collect();
        let (html, taken) = links::keep_allowed(&html, &allowed);
        mail.text = to_text(&html);
        mail.clipped = html.len() > CLIP;
        mail.html = html;
        mail.taken_links = taken;
        Ok(mail)
    }
}

fn shifted(mut problem: Problem, first_line: usize) -> Problem {
    if let Some(place) = &mut problem.place {
        place.line += first_line - 1;
    }
    problem
}

/// Everything to HTML with its styles inlined; Liquid comes through untouched.
fn to_html(body: &str, kind: Kind, first_line: usize) -> Result<String, Problem> {
    let written = match kind {
        Kind::Markdown => in_layout(&markdown(body)),
        _ => body.to_owned(),
    };
    let shielded = shield::shield(&written);
    let html = match kind {
        Kind::Mjml => mjml::to_html(&shielded.text).map_err(|problem| shifted(problem, first_line))?,
        _ => shielded.text.clone(),
    };
    let inliner = css_inline::CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_style_tags(true)
        .keep_at_rules(true)
        .keep_link_tags(true)
        .build();
    let html = inliner.inline(&html).map_err(|error| {
        Problem::error("styles", "", format!("the styles cannot be inlined: {error}"), "Mend the style sheet.")
    })?;
    shielded.restore(&html).map_err(|lost| {
        let tag = lost.first().copied().unwrap_or_default();
        let message = format!("the Liquid tag `{tag}` stands where no text may stand and would be lost");
        Problem::error("liquid_lost", "", message, "Move it into the text, or around a whole element inside `mj-raw`.")
    })
}

/// Markdown to HTML. Liquid is kept as it is, also inside of links.
fn markdown(body: &str) -> String {
    let marks = Marks::of(body);
    let parser = pulldown_cmark::Parser::new_ext(&marks.text, pulldown_cmark::Options::ENABLE_TABLES);
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, parser);
    marks.restore(html)
}

/// Liquid as plain words, which Markdown leaves alone in text and in link targets.
struct Marks {
    text: String,
    tags: Vec<String>,
}

impl Marks {
    fn of(body: &str) -> Self {
        let mut marks = Self { text: String::with_capacity(body.len()), tags: Vec::new() };
        let mut rest = body;
        while let Some(at) = rest.find('{') {
            marks.text.push_str(&rest[..at]);
            rest = &rest[at..];
            let mark = if rest.starts_with("{{") { Some("}}") } else { rest.starts_with("{%").then_some("%}") };
            match mark.and_then(|mark| super::liquid::tokens::close(rest, mark)) {
                Some(end) => {
                    marks.text.push_str(&format!("hwmark{}q", marks.tags.len()));
                    marks.tags.push(rest[..end + 2].to_owned());
                    rest = &rest[end + 2..];
                }
                None => {
                    marks.text.push('{');
                    rest = &rest[1..];
                }
            }
        }
        marks.text.push_str(rest);
        marks
    }

    fn restore(&self, mut html: String) -> String {
        for (at, tag) in self.tags.iter().enumerate().rev() {
            let mark = format!("hwmark{at}q");
            // A block tag alone in its paragraph is no paragraph.
            if tag.starts_with("{%") {
                html = html.replace(&format!("<p>{mark}</p>"), tag);
            }
            html = html.replace(&mark, tag);
        }
        html
    }
}

fn in_layout(content: &str) -> String {
    include_str!("layout.html").replace("<!-- content -->", content)
}

fn with_preheader(html: &str, preheader: &str) -> String {
    let hidden = format!(
        "<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\" aria-hidden=\"true\">{preheader}</div>"
    );
    let body = html.to_ascii_lowercase().find("<body").and_then(|at| html[at..].find('>').map(|end| at + end + 1));
    match body {
        Some(at) => format!("{}{hidden}{}", &html[..at], &html[at..]),
        None => format!("{hidden}{html}"),
    }
}

/// The text part: link targets kept, styles and scripts left out.
pub fn to_text(html: &str) -> String {
    html2text::config::plain().link_footnotes(true).string_from_read(html.as_bytes(), TEXT_WIDTH).unwrap_or_default()
}
