//! The values of a probe's parameters, ready to be bound.

use std::sync::Arc;

use super::generate::World;
use super::literal;
use super::pack::sql::{Mark, marks};
use super::pack::{Param, ParamRef, Probe, Statement};
use super::value::Value;

/// The parameters of one probe over one set of data.
#[derive(Debug, Clone)]
pub struct Params {
    world: Arc<World>,
    list: Vec<Param>,
    width: u64,
    run: u64,
}

impl Params {
    /// Values depend on the world's seed, the probe, the operation and `run` alone. Use 0 where a
    /// run has to repeat another one value by value, and a number of its own where it may not,
    /// because the probe inserts rows under new keys.
    #[must_use]
    pub fn new(world: Arc<World>, probe: &Probe, run: u64) -> Self {
        Self {
            world,
            list: probe.params.clone(),
            width: u64::from(probe.width.max(1)),
            run,
        }
    }

    /// The value of one `?` in an operation.
    #[must_use]
    pub fn value(&self, operation: u64, at: ParamRef) -> Value {
        let row = operation
            .wrapping_mul(self.width)
            .wrapping_add(u64::from(at.row));
        self.world.param(&self.list, at.param, row, self.run)
    }

    /// A statement of an operation with its values in place as literals.
    #[must_use]
    pub fn text(&self, operation: u64, statement: &Statement) -> String {
        let mut values = self.values(operation, statement);
        let mut text = String::with_capacity(statement.sql.len() * 2);
        let mut done = 0;
        for (mark, range) in marks(&statement.sql) {
            if mark == Mark::Question {
                text.push_str(&statement.sql[done..range.start]);
                literal::push(&values.next().unwrap_or_default(), &mut text);
                done = range.end;
            }
        }
        text.push_str(&statement.sql[done..]);
        text
    }

    /// The values of a statement's `?`, in order.
    pub fn values<'a>(
        &'a self,
        operation: u64,
        statement: &'a Statement,
    ) -> impl Iterator<Item = Value> + 'a {
        statement
            .params
            .iter()
            .map(move |at| self.value(operation, *at))
    }
}
