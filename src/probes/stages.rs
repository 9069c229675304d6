//! Recorders by stage: an operation belongs to the stage in which it was meant to start, whenever
//! it ends, so that the counts of each stage conserve by themselves.

use std::sync::Arc;

use super::recorder::Recorder;

/// Recorders by stage, each made when it is first used.
#[derive(Debug, Clone)]
pub struct Staged {
    /// Where each stage but the last ends, nanoseconds since the load started.
    bounds: Arc<[u64]>,
    probes: usize,
    recorders: Vec<Option<Recorder>>,
}

impl Staged {
    /// Empty recorders for this many probes; `bounds` are the ends of all stages but the last.
    #[must_use]
    pub fn new(probes: usize, bounds: Arc<[u64]>) -> Self {
        let mut recorders: Vec<Option<Recorder>> = Vec::new();
        recorders.resize_with(bounds.len() + 1, || None);
        Self {
            bounds,
            probes,
            recorders,
        }
    }

    /// The number of stages, at least one.
    #[must_use]
    pub fn stages(&self) -> usize {
        self.recorders.len()
    }

    /// The stage of a moment, nanoseconds since the load started.
    #[must_use]
    pub fn stage_of(&self, at: u64) -> usize {
        // A run of one stage, as most are, costs one comparison.
        self.bounds.partition_point(|end| *end <= at)
    }

    /// The end of the stage of a moment, `None` in the last one.
    #[must_use]
    pub fn end_of_stage(&self, at: u64) -> Option<u64> {
        self.bounds.get(self.stage_of(at)).copied()
    }

    /// The recorder of what was meant for this moment.
    pub fn at(&mut self, at: u64) -> &mut Recorder {
        let stage = self.stage_of(at);
        self.stage(stage)
    }

    fn stage(&mut self, stage: usize) -> &mut Recorder {
        let last = self.recorders.len() - 1;
        self.recorders[stage.min(last)].get_or_insert_with(|| Recorder::new(self.probes))
    }

    /// Adds all of `other`, stage by stage.
    pub fn merge(&mut self, other: &Self) {
        for (stage, recorder) in other.recorders.iter().enumerate() {
            if let Some(recorder) = recorder {
                self.stage(stage).merge(recorder);
            }
        }
    }

    /// Empties all. Memory is kept for stages that were in use since the last call and given back
    /// for the others, so that it does not grow with the number of stages behind.
    pub fn clear(&mut self) {
        for recorder in &mut self.recorders {
            match recorder {
                Some(used) if !used.is_empty() => used.clear(),
                _ => *recorder = None,
            }
        }
    }

    /// All stages together.
    #[must_use]
    pub fn sum(&self) -> Recorder {
        let mut sum = Recorder::new(self.probes);
        for recorder in self.recorders.iter().flatten() {
            sum.merge(recorder);
        }
        sum
    }

    /// All stages together; a single one is handed over as it is.
    #[must_use]
    pub fn into_sum(mut self) -> Recorder {
        let mut used = self
            .recorders
            .iter_mut()
            .filter(|recorder| recorder.is_some());
        if let (Some(only), None) = (used.next(), used.next()) {
            return only.take().unwrap_or_else(|| Recorder::new(self.probes));
        }
        self.sum()
    }

    /// Each stage by itself.
    #[must_use]
    pub fn into_stages(self) -> Vec<Recorder> {
        let probes = self.probes;
        self.recorders
            .into_iter()
            .map(|recorder| recorder.unwrap_or_else(|| Recorder::new(probes)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::recorder::{Ending, Operation};
    use super::*;

    fn ended(intended: u64) -> Operation {
        Operation {
            probe: 0,
            intended,
            sent: intended,
            ended: intended + 5_000,
            retries: 0,
            ending: Ending::Completed { rows: 1 },
        }
    }

    #[test]
    fn operations_belong_to_the_stage_of_their_intended_start() {
        let bounds: Arc<[u64]> = [100, 200].into();
        let mut staged = Staged::new(1, Arc::clone(&bounds));
        for intended in [0, 99, 100, 199, 200, 5_000] {
            staged.at(intended).operation(ended(intended));
        }
        assert_eq!(staged.end_of_stage(150), Some(200));
        assert_eq!(staged.end_of_stage(200), None);
        let mut twice = Staged::new(1, bounds);
        twice.merge(&staged);
        twice.merge(&staged);
        let counts: Vec<_> = twice
            .into_stages()
            .iter()
            .map(|recorder| recorder.counts().completed)
            .collect();
        assert_eq!(counts, [4, 4, 4]);
        assert_eq!(staged.sum().counts().completed, 6);
    }

    #[test]
    fn memory_of_stages_behind_is_given_back() {
        let mut staged = Staged::new(1, [100].into());
        staged.at(0).operation(ended(0));
        staged.clear();
        assert!(staged.recorders[0].is_some());
        staged.at(150).operation(ended(150));
        staged.clear();
        assert!(staged.recorders[0].is_none() && staged.recorders[1].is_some());
        assert!(staged.sum().is_empty());
    }
}
