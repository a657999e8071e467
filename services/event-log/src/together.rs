//! Work that callers hand over one by one and that a few tasks do many at a time. There is no timer: the first caller
//! starts a worker at once, and what arrives while all workers are busy is taken together.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) struct Together<T> {
    shared: Mutex<Shared<T>>,
    workers_max: usize,
    waiting_max: usize,
}

struct Shared<T> {
    waiting: VecDeque<T>,
    workers: usize,
}

/// Too much is waiting already; the work comes back.
#[derive(Debug)]
pub(crate) struct Full<T>(pub T);

/// A place among the workers. Given back when nothing waits any more, or when the worker is dropped.
pub(crate) struct Worker<T> {
    together: Arc<Together<T>>,
    ended: bool,
}

impl<T> Together<T> {
    pub fn new(workers_max: usize, waiting_max: usize) -> Arc<Together<T>> {
        Arc::new(Together {
            shared: Mutex::new(Shared {
                waiting: VecDeque::new(),
                workers: 0,
            }),
            workers_max,
            waiting_max,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Shared<T>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands work over. With a worker in return, the caller has to set it to work.
    pub fn push(self: &Arc<Self>, work: T) -> Result<Option<Worker<T>>, Full<T>> {
        let mut shared = self.lock();
        if shared.waiting.len() >= self.waiting_max {
            return Err(Full(work));
        }
        shared.waiting.push_back(work);
        if shared.workers >= self.workers_max {
            return Ok(None);
        }
        shared.workers += 1;
        Ok(Some(Worker {
            together: Arc::clone(self),
            ended: false,
        }))
    }

    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }
}

impl<T> Worker<T> {
    /// What waits, as much as `fits` takes (it is asked once for each, in order; the first is always taken). None when
    /// nothing waits: the worker has ended, and the next piece of work starts another.
    pub fn take(&mut self, mut fits: impl FnMut(&T) -> bool) -> Option<Vec<T>> {
        let mut shared = self.together.lock();
        let mut taken = Vec::new();
        while let Some(next) = shared.waiting.front() {
            if !fits(next) && !taken.is_empty() {
                break;
            }
            taken.extend(shared.waiting.pop_front());
        }
        if taken.is_empty() {
            // Under the same lock: nobody can have left work to a worker that is gone.
            shared.workers -= 1;
            self.ended = true;
            return None;
        }
        Some(taken)
    }
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        if !self.ended {
            self.together.lock().workers -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(worker: &mut Worker<u32>, max: usize) -> Option<Vec<u32>> {
        let mut count = 0;
        worker.take(|_| {
            count += 1;
            count <= max
        })
    }

    #[test]
    fn the_first_starts_a_worker_and_what_comes_meanwhile_is_taken_together() {
        let together = Together::new(1, 10);
        let mut worker = together.push(1).unwrap().expect("nobody works yet");
        assert!(together.push(2).unwrap().is_none());
        assert!(together.push(3).unwrap().is_none());
        assert_eq!(take(&mut worker, 2), Some(vec![1, 2]));
        assert_eq!(take(&mut worker, 2), Some(vec![3]));
        assert_eq!(take(&mut worker, 2), None);
        assert!(together.push(4).unwrap().is_some());
    }

    #[test]
    fn more_than_may_wait_comes_back() {
        let together = Together::new(1, 2);
        let _worker = together.push(1).unwrap();
        assert!(together.push(2).unwrap().is_none());
        assert!(matches!(together.push(3), Err(Full(3))));
        assert_eq!(together.waiting(), 2);
    }

    #[test]
    fn a_worker_that_dies_leaves_its_place() {
        let together = Together::new(1, 10);
        drop(together.push(1).unwrap());
        let mut worker = together.push(2).unwrap().expect("the place is free");
        assert_eq!(take(&mut worker, 9), Some(vec![1, 2]));
    }

    #[test]
    fn what_alone_is_too_much_is_taken_alone() {
        let together = Together::new(1, 10);
        let mut worker = together.push(1).unwrap().unwrap();
        let _ = together.push(2).unwrap();
        assert_eq!(worker.take(|_| false), Some(vec![1]));
        assert_eq!(worker.take(|_| false), Some(vec![2]));
    }
}
