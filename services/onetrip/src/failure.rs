use std::fmt;

/// Why the program stops, in words for who started it.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("setting {key}: {problem}")]
    Setting { key: String, problem: String },
    #[error("{what}: {cause}")]
    Doing { what: String, cause: String },
}

impl Failure {
    pub fn setting(key: &str, problem: String) -> Failure {
        Failure::Setting {
            key: key.to_owned(),
            problem,
        }
    }
}

/// Says what was being done when something failed.
pub trait Doing<T> {
    fn doing(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|cause| Failure::Doing {
            what: what.to_string(),
            cause: cause.to_string(),
        })
    }
}
