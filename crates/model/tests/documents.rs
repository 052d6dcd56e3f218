//! The campaigns in the documents are campaigns: each is read and could be activated.

use std::path::Path;

use hogwire_model::campaign::{self, Known, KnownTemplate};

fn campaigns_in(document: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
    let text = std::fs::read_to_string(path).expect("the document is there");
    let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.filter(|block| block.starts_with("name:")).map(str::to_owned).collect()
}

#[test]
fn what_the_documents_show_can_be_used() {
    let templates: [KnownTemplate<'_>; 1] = [("recovery", &[])];
    let known = Known { templates: &templates, senders: &["default"], ..Known::default() };
    for (document, least) in [("README.md", 1), ("docs/campaigns.md", 4)] {
        let found = campaigns_in(document);
        assert!(found.len() >= least, "{document} shows {} campaigns", found.len());
        for text in found {
            let (read, _) = campaign::read(&text).unwrap_or_else(|problems| panic!("{document}: {problems:?}\n{text}"));
            let problems = campaign::validate(&read, &known);
            assert!(!problems.has_errors(), "{document}: {problems:?}\n{text}");
        }
    }
}
