//! Templates: Liquid over HTML, Markdown, MJML or plain text, compiled once per version.
//!
//! `liquid` is the language with its limits and its leniency, `scope` what a template can
//! see, `compiled` a whole mail with subject and both parts. Nothing here reads files, and
//! untrusted values are never parsed as Liquid.

mod compiled;
mod depth;
mod front;
pub mod links;
mod liquid;
mod markdown;
mod markup;
mod mjml;
mod passes;
mod scope;
mod shield;
mod text;

pub use compiled::{Compiled, Kind, Mail};
pub use liquid::{Escape, Liquid, RenderError, Rendered, render_json};
pub use scope::Scope;

#[cfg(test)]
mod tests;
