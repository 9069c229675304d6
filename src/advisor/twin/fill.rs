//! A twin with a sample, and a replica as it is.

use tokio_util::sync::CancellationToken;

use super::{
    Error, Progress, Twin, TwinOptions, constants, load, lookups, plan, private, read, scale,
};
use crate::advisor::shape::Shape;
use crate::server::{self, Connection};

impl Twin {
    pub(super) async fn look_at_replica(&mut self, target_version: &str) -> Result<(), Error> {
        let version = self.version().await?;
        if version != target_version {
            self.limits.push(format!(
                "the replica is MySQL {version} and the target {target_version}: another version \
                 may plan differently"
            ));
        }
        let mut rows = 0;
        for name in self.catalog.tables.keys() {
            let sql = format!(
                "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE {}",
                server::ddl::names_tables(std::slice::from_ref(name))
            );
            match self.connection.rows("a table", &sql).await?.first() {
                Some(row) => {
                    let there = private::text(row, 0).and_then(|rows| rows.parse::<u64>().ok());
                    rows += there.unwrap_or(0);
                }
                None => self.limits.push(format!("`{name}` is not on the replica")),
            }
        }
        self.rows.0 = rows;
        Ok(())
    }

    pub(super) async fn fill_sample(
        &mut self,
        target: &mut Connection,
        shapes: &[(usize, Shape)],
        options: &TwinOptions,
        progress: &mut (dyn FnMut(Progress) + Send),
        cancel: &CancellationToken,
    ) -> Result<(), Error> {
        let plan = plan::plan(&self.catalog, shapes, options);
        let reader = read::Reader::new(target, &plan, options, progress, cancel);
        let gathered = reader.all().await?;
        let mut say = |step: &str| {
            progress(Progress {
                step: step.to_owned(),
                share: None,
            });
        };
        say("filling the twin");
        let mut made =
            load::schemas(&mut self.connection, &self.catalog, &mut self.schemas).await?;
        let moves = scale::moves(&plan, &self.catalog, &gathered);
        load::rows(&mut self.connection, &plan, &gathered, &moves, &mut made).await?;
        say("making histograms on the twin");
        let columns = lookups::predicate_columns(&self.catalog, shapes);
        load::analyze(&mut self.connection, &self.catalog, &columns, &mut made).await?;
        if plan.share < 1.0 {
            self.substitutes =
                constants::substitutes(&mut self.connection, &self.catalog, shapes).await?;
            self.limits.push(format!(
                "the twin holds {} of the rows of big tables: access paths that depend on single \
                 rare values may differ",
                crate::model::units::percent(plan.share)
            ));
        }
        if !self.substitutes.is_empty() {
            self.limits.push(format!(
                "{} constants of the workload are not in the sample; values that occur about as \
                 often as the average one stand for them",
                self.substitutes.len()
            ));
        }
        self.rows.0 = made.rows;
        self.limits.extend(plan.notes);
        self.limits.extend(gathered.notes);
        self.limits.extend(made.notes);
        Ok(())
    }
}
