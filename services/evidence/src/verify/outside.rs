//! Heads that are kept where nobody with the database can reach them.

use super::fault::What;
use crate::note::{Head, NoteFault, VerifierKey};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Ending of the files in a witness's folder.
pub const ENDING: &str = ".head";

/// A witness's folder.
#[derive(Debug)]
pub struct Outside {
    folder: PathBuf,
    name: String,
    /// Of its heads, in order.
    sizes: Vec<u64>,
    strange: Vec<What>,
}

impl Outside {
    /// Fails if the folder cannot be read.
    pub fn read(folder: &Path) -> io::Result<Outside> {
        let name = format!("the witness {}", folder.display());
        let (mut sizes, mut strange) = (Vec::new(), Vec::new());
        for file in fs::read_dir(folder)? {
            let file = file?.file_name();
            let file = file.to_string_lossy();
            let Some(size) = file.strip_suffix(ENDING) else {
                continue;
            };
            match size.parse() {
                Ok(number) if file_name(number) == file => sizes.push(number),
                _ => strange.push(What::Outside {
                    whose: folder.join(&*file).display().to_string(),
                    fault: NoteFault::Form,
                }),
            }
        }
        sizes.sort_unstable();
        Ok(Outside {
            folder: folder.to_owned(),
            name,
            sizes,
            strange,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn sizes(&self) -> &[u64] {
        &self.sizes
    }

    pub(super) fn strange(&self) -> &[What] {
        &self.strange
    }

    /// The head for that many events, if the key has signed it.
    pub(super) fn head(&self, key: &VerifierKey, size: u64) -> Result<(String, Head), What> {
        let file = self.folder.join(file_name(size));
        let fault = |fault| What::Outside {
            whose: file.display().to_string(),
            fault,
        };
        let note = fs::read_to_string(&file).map_err(|_| fault(NoteFault::Form))?;
        let head = key.open(&note).map_err(fault)?;
        if head.size == size {
            Ok((note, head))
        } else {
            Err(fault(NoteFault::Form))
        }
    }
}

/// Name of the file of a head.
pub fn file_name(size: u64) -> String {
    format!("{size:020}{ENDING}")
}
