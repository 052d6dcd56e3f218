//! `cargo x check`: what can be said of the sources without running them.

use crate::run::{cargo, root, run};
use crate::tree::Tree;
use crate::{Failure, Outcome, generate, rules};

/// Every part runs, so that one run names everything there is to mend.
pub fn check() -> Outcome {
    let parts = [
        ("house rules", house_rules()),
        ("generated files", generate::compare()),
        ("formatting", run(&mut cargo(["fmt", "--all", "--check"]))),
        ("clippy", run(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))),
    ];
    let mut broken = Vec::new();
    for (name, result) in parts {
        if let Err(Failure::Failed(reason) | Failure::Misuse(reason)) = result {
            eprintln!("{name}: {reason}");
            broken.push(name);
        }
    }
    if broken.is_empty() {
        Ok(format!("{} house rules, formatting and clippy hold", rules::all().len()))
    } else {
        Err(Failure::Failed(format!("not in order: {}", broken.join(", "))))
    }
}

/// The quick part: no compiler.
pub fn rules_only() -> Outcome {
    house_rules()?;
    generate::compare()?;
    Ok(format!("{} house rules hold", rules::all().len()))
}

fn house_rules() -> Result<(), Failure> {
    println!("$ house rules");
    let tree = Tree::read(&root()).map_err(|error| Failure::Failed(error.to_string()))?;
    let mut count = 0;
    for rule in rules::all() {
        for violation in (rule.check)(&tree) {
            eprintln!("{}:{}: [{}] {}", violation.path, violation.line, rule.name, violation.message);
            count += 1;
        }
    }
    if count == 0 { Ok(()) } else { Err(Failure::Failed(format!("{count} places break a house rule"))) }
}
