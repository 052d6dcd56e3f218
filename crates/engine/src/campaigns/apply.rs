//! A project folder made so: what differs becomes new versions, what is the same is left.

use hogwire_model::campaign::{self, Campaign, Status};
use hogwire_model::{Problems, Time};
use serde::Serialize;

use super::{Actor, fingerprint, moved, review};
use crate::catalog::{Catalog, compile_template};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::store::{Tx, campaigns, templates};

/// The files of a project folder, read by whoever has the folder.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// `kind` is not used: a campaign is YAML or JSON.
    pub campaigns: Vec<SourceFile>,
    /// `kind` is the file's ending: mjml, html, md, txt.
    pub templates: Vec<SourceFile>,
}

#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The file's stem, which is the resource's id.
    pub id: String,
    pub kind: String,
    pub text: String,
}

/// What applying does, or did, to one resource.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// `campaign` or `template`.
    pub resource: &'static str,
    pub id: String,
    pub what: What,
    pub version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    pub problems: Problems,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Created,
    Updated,
    Unchanged,
    /// A newer version was made in the console or by the API; `force` or `pull` decides.
    Left,
    /// The file cannot be used; what ran before goes on.
    Refused,
    /// The new version is stored, but its status could not become what the file says.
    NotActivated,
}

impl Engine {
    /// What `apply` would do. Writes nothing.
    pub fn plan(&self, project: &Project, force: bool, now: Time) -> Result<Vec<Change>> {
        let mut tx = self.store.begin()?;
        let actor = Actor { name: "plan", origin: "file" };
        self.apply_in(&mut tx, project, actor, force, now)
    }

    /// Makes what runs equal to the files.
    pub fn apply(&self, project: &Project, actor: Actor<'_>, force: bool, now: Time) -> Result<Vec<Change>> {
        let mut tx = self.store.begin()?;
        let changes = self.apply_in(&mut tx, project, actor, force, now)?;
        tx.commit()?;
        self.outside.wake.wake();
        Ok(changes)
    }

    fn apply_in(
        &self,
        tx: &mut Tx<'_>,
        project: &Project,
        actor: Actor<'_>,
        force: bool,
        now: Time,
    ) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for file in &project.templates {
            changes.push(apply_template(tx, file, actor, force, now)?);
        }
        // Campaigns are reviewed against the templates as they are now.
        let fresh = Catalog::load(tx, 0, &Catalog::default())?;
        for file in &project.campaigns {
            changes.push(self.apply_campaign(tx, file, &fresh, actor, force, now)?);
        }
        if changes.iter().any(|change| !matches!(change.what, What::Unchanged | What::Left | What::Refused)) {
            moved(tx, now)?;
        }
        Ok(changes)
    }

    fn apply_campaign(
        &self,
        tx: &mut Tx<'_>,
        file: &SourceFile,
        catalog: &Catalog,
        actor: Actor<'_>,
        force: bool,
        now: Time,
    ) -> Result<Change> {
        let held = campaigns::find(tx, &file.id)?;
        let mark = fingerprint(&file.text);
        let mut change = Change {
            resource: "campaign",
            id: file.id.clone(),
            what: What::Unchanged,
            version: held.as_ref().map_or(0, |held| held.version),
            status: held.as_ref().map(|held| held.status),
            problems: Problems::default(),
        };
        let (definition, warnings) = match campaign::read(&file.text) {
            Ok(read) => read,
            Err(problems) => return Ok(Change { what: What::Refused, problems, ..change }),
        };
        change.problems = warnings;
        if actor.origin == "file"
            && let Some((version, before)) = campaigns::last_from_file(tx, &file.id)?
        {
            if before == mark && !force {
                return Ok(change);
            }
            if version < change.version && !force {
                return Ok(Change { what: What::Left, ..change });
            }
        }
        change.what = if held.is_some() { What::Updated } else { What::Created };
        change.version += 1;
        let row = self.write_version(tx, file, &definition, held, &change, mark, actor, now)?;
        let problems = review(tx, &definition, catalog, &self.settings())?;
        let wanted = definition.status.filter(|status| *status != row.status);
        change.status = Some(row.status);
        if let Some(wanted) = wanted {
            if wanted == Status::Active && problems.has_errors() {
                change.what = What::NotActivated;
            } else {
                self.set_status(tx, row, wanted, actor.name, now)?;
                change.status = Some(wanted);
            }
        }
        change.problems.0.extend(problems.0);
        Ok(change)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one version")]
    fn write_version(
        &self,
        tx: &mut Tx<'_>,
        file: &SourceFile,
        definition: &Campaign,
        held: Option<campaigns::Campaign>,
        change: &Change,
        mark: String,
        actor: Actor<'_>,
        now: Time,
    ) -> Result<campaigns::Campaign> {
        let is_new = held.is_none();
        let row = campaigns::Campaign {
            id: file.id.clone(),
            name: definition.name.clone(),
            status: held.as_ref().map_or(Status::Draft, |held| held.status),
            version: change.version,
            created_at: held.map_or(now, |held| held.created_at),
            updated_at: now,
        };
        campaigns::save(tx, &row)?;
        let version = campaigns::Version {
            campaign_id: file.id.clone(),
            version: change.version,
            definition: file.text.clone(),
            fingerprint: mark,
            origin: actor.origin.to_owned(),
            created_at: now,
            created_by: actor.name.to_owned(),
        };
        campaigns::add_version(tx, &version)?;
        self.remember_state(tx, &row, actor.name, now)?;
        if !is_new && row.status == Status::Active {
            self.survey(tx, &row.id, row.version, now)?;
        }
        Ok(row)
    }

    /// Makes a new version of one campaign from the console or the API.
    pub fn save_campaign(&self, id: &str, text: &str, actor: Actor<'_>, now: Time) -> Result<Change> {
        let file = SourceFile { id: id.to_owned(), kind: "yaml".to_owned(), text: text.to_owned() };
        let project = Project { campaigns: vec![file], templates: Vec::new() };
        self.single(&project, actor, now)
    }

    /// Makes a new version of one template from the console or the API.
    pub fn save_template(&self, name: &str, kind: &str, text: &str, actor: Actor<'_>, now: Time) -> Result<Change> {
        let file = SourceFile { id: name.to_owned(), kind: kind.to_owned(), text: text.to_owned() };
        let project = Project { campaigns: Vec::new(), templates: vec![file] };
        self.single(&project, actor, now)
    }

    fn single(&self, project: &Project, actor: Actor<'_>, now: Time) -> Result<Change> {
        let change = self.apply(project, actor, true, now)?.into_iter().next();
        let change = change.ok_or_else(|| Error::Missing("the change".to_owned()))?;
        if change.what == What::Refused {
            return Err(Error::Refused(change.problems));
        }
        Ok(change)
    }
}

fn apply_template(tx: &mut Tx<'_>, file: &SourceFile, actor: Actor<'_>, force: bool, now: Time) -> Result<Change> {
    let held = templates::newest(tx, &file.id)?;
    let mark = fingerprint(&file.text);
    let mut change = Change {
        resource: "template",
        id: file.id.clone(),
        what: What::Unchanged,
        version: held.as_ref().map_or(0, |held| held.version),
        status: None,
        problems: Problems::default(),
    };
    if actor.origin == "file"
        && let Some((version, before)) = templates::last_from_file(tx, &file.id)?
    {
        let same_kind = held.as_ref().is_some_and(|held| held.kind == file.kind);
        if before == mark && same_kind && !force {
            return Ok(change);
        }
        if version < change.version && !force {
            return Ok(Change { what: What::Left, ..change });
        }
    }
    if let Err(problems) = compile_template(&file.id, &file.kind, &file.text) {
        return Ok(Change { what: What::Refused, problems, ..change });
    }
    change.what = if held.is_some() { What::Updated } else { What::Created };
    change.version += 1;
    let row = templates::Template {
        name: file.id.clone(),
        version: change.version,
        kind: file.kind.clone(),
        source: file.text.clone(),
        fingerprint: mark,
        origin: actor.origin.to_owned(),
        created_at: now,
        created_by: actor.name.to_owned(),
    };
    templates::add(tx, &row)?;
    Ok(change)
}
