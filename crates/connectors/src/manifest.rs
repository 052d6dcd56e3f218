//! What each connector is, for screens and documents that list them.

/// One vendor or protocol that we have code for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// As settings and the database name it.
    pub name: &'static str,
    /// One sentence.
    pub does: &'static str,
    /// Things come in by it.
    pub source: bool,
    /// Things go out by it.
    pub destination: bool,
}
