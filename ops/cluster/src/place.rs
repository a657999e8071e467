//! Where a cluster's files are kept, and whether the server can get there.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Component, Path, PathBuf};

use crate::error::ClusterError;
use crate::server::{Account, effective_uid};

/// The environment variable that names the folder of a user's data, by the XDG base directory specification.
pub const DATA_FOLDER_SETTING: &str = "XDG_DATA_HOME";

/// Names the socket file only, as no network port is opened.
pub(crate) const SOCKET_PORT: u16 = 5432;

/// `sun_path` of a Unix socket has 108 bytes on Linux, with a closing zero.
pub(crate) const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The folder for an application's durable data when nobody chose one: for root `/var/lib/<app>-0`, otherwise
/// `$XDG_DATA_HOME/<app>` or `~/.local/share/<app>`.
///
/// Root's home is closed to the account that the server runs under, hence the different place; the user id in it
/// keeps it apart from the folder of an installed service. Nothing is created.
pub fn default_base_dir(app: &str) -> Result<PathBuf, ClusterError> {
    if effective_uid() == 0 {
        return Ok(PathBuf::from(format!("/var/lib/{app}-0")));
    }
    // The specification tells us to ignore relative values.
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|folder| folder.is_absolute())
    };
    absolute(DATA_FOLDER_SETTING)
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
        .map(|data| data.join(app))
        .ok_or(ClusterError::NoHome)
}

pub(crate) fn data_folder(base: &Path) -> PathBuf {
    base.join("data")
}

pub(crate) fn log_file(base: &Path) -> PathBuf {
    base.join("log")
}

pub(crate) fn socket_file(base: &Path) -> PathBuf {
    base.join(format!(".s.PGSQL.{SOCKET_PORT}"))
}

/// Beside the base, not in it: the base changes hands when the server runs under another account.
pub(crate) fn lock_file(base: &Path) -> PathBuf {
    let mut name = base.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    base.with_file_name(name)
}

/// Refuses what the server, its start command or a connection address could not carry.
pub(crate) fn check_path(base: &Path) -> Result<(), ClusterError> {
    let refuse = |reason: &str| {
        Err(ClusterError::UnusableFolder {
            folder: base.to_owned(),
            reason: reason.to_owned(),
        })
    };
    if !base.is_absolute() || base.file_name().is_none() {
        return refuse("it must be an absolute path to a folder of its own");
    }
    if base.components().any(|part| part == Component::ParentDir) {
        return refuse("its path must not contain `..`");
    }
    let Some(text) = base.to_str() else {
        return refuse("its path is not valid UTF-8");
    };
    // pg_ctl hands the data folder to a shell in double quotes, and the socket setting is a comma-separated list.
    if let Some(bad) = text.chars().find(|c| c.is_control() || "\"'`$\\,".contains(*c)) {
        return refuse(&format!("its path contains {bad:?}"));
    }
    let socket = socket_file(base);
    let bytes = socket.as_os_str().len();
    if bytes >= SOCKET_PATH_BYTES_MAX {
        return Err(ClusterError::SocketPathTooLong { socket, bytes });
    }
    Ok(())
}

/// Creates the missing folders above `base`, open for passage whatever the umask, because the server's account may
/// be another one than ours.
pub(crate) fn create_parents(base: &Path) -> Result<(), ClusterError> {
    let missing: Vec<&Path> = base
        .ancestors()
        .skip(1)
        .take_while(|folder| !folder.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o755).create(folder) {
            Ok(()) => fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(
                ClusterError::file(format!("opening {} for passage", folder.display())),
            )?,
            // Somebody else, doing the same at the same time.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(ClusterError::file(format!(
                    "creating the folder {}",
                    folder.display()
                ))(error));
            }
        }
    }
    Ok(())
}

/// Creates `base` when missing, gives it to the server's account and closes it to everybody else.
pub(crate) fn take_over(base: &Path, account: Option<&Account>) -> Result<(), ClusterError> {
    match DirBuilder::new().mode(0o700).create(base) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(ClusterError::file(format!(
                "creating the folder {}",
                base.display()
            ))(error));
        }
    }
    // Not following a link: one planted in a shared folder would let us hand over somebody else's files.
    let meta =
        fs::symlink_metadata(base).map_err(ClusterError::file(format!("looking at {}", base.display())))?;
    if !meta.is_dir() {
        return Err(ClusterError::UnusableFolder {
            folder: base.to_owned(),
            reason: "it is not a folder (a link is not followed)".to_owned(),
        });
    }
    let server_uid = account.map_or_else(effective_uid, |account| account.uid);
    if meta.uid() != server_uid && meta.uid() != effective_uid() {
        return Err(ClusterError::ForeignFolder {
            base: base.to_owned(),
            owner: meta.uid(),
        });
    }
    if let Some(account) = account {
        check_passage(base, account)?;
        chown(base, Some(account.uid), Some(account.gid)).map_err(ClusterError::file(format!(
            "giving {} to {}",
            base.display(),
            account.name
        )))?;
    }
    fs::set_permissions(base, Permissions::from_mode(0o700)).map_err(ClusterError::file(format!(
        "closing {} to others",
        base.display()
    )))
}

/// Whether `account` can walk down to `base`, judged by the mode bits.
fn check_passage(base: &Path, account: &Account) -> Result<(), ClusterError> {
    let real = fs::canonicalize(base).map_err(ClusterError::file(format!("resolving {}", base.display())))?;
    let closed = real
        .ancestors()
        .skip(1)
        .find(|folder| fs::metadata(folder).is_ok_and(|meta| !can_pass(&meta, account)));
    match closed {
        None => Ok(()),
        Some(closed) => Err(ClusterError::ClosedParent {
            base: base.to_owned(),
            closed: closed.to_owned(),
            account: account.name.clone(),
        }),
    }
}

fn can_pass(folder: &Metadata, account: &Account) -> bool {
    let execute = if folder.uid() == account.uid {
        0o100
    } else if folder.gid() == account.gid {
        0o010
    } else {
        0o001
    };
    folder.mode() & execute != 0
}

/// For a place in an address: everything but unreserved characters and `/` is escaped.
pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_socket_path_is_named_with_its_length() {
        let base = PathBuf::from(format!("/tmp/{}", "x".repeat(90)));
        let error = check_path(&base).unwrap_err();
        assert!(
            matches!(error, ClusterError::SocketPathTooLong { bytes: 109, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("under 107"), "{error}");
    }

    #[test]
    fn the_longest_socket_path_is_accepted() {
        let fits = PathBuf::from(format!("/tmp/{}", "x".repeat(87)));
        assert_eq!(socket_file(&fits).as_os_str().len(), 106);
        check_path(&fits).unwrap();
        check_path(&PathBuf::from(format!("/tmp/{}", "x".repeat(88)))).unwrap_err();
    }

    #[test]
    fn paths_the_start_command_could_not_carry_are_refused() {
        for bad in [
            "relative/folder",
            "/",
            "/tmp/a'b",
            "/tmp/$HOME",
            "/tmp/a,b",
            "/tmp/../etc",
            "/tmp/a\nb",
        ] {
            assert!(
                matches!(
                    check_path(Path::new(bad)),
                    Err(ClusterError::UnusableFolder { .. })
                ),
                "{bad}"
            );
        }
        check_path(Path::new("/tmp/my data/一次办")).unwrap();
    }

    #[test]
    fn addresses_escape_what_would_end_them() {
        assert_eq!(percent_encoded("/tmp/a b&c?/办"), "/tmp/a%20b%26c%3F/%E5%8A%9E");
    }

    #[test]
    fn the_lock_is_beside_the_base_even_with_a_dot_in_its_name() {
        assert_eq!(lock_file(Path::new("/tmp/pg.15")), Path::new("/tmp/pg.15.lock"));
    }
}
