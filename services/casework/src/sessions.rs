//! Staff signing in. Only digests of tokens are kept; single sign-on will stand beside this, behind `SignedIn`.

use crate::{
    Casework,
    error::{CaseworkError, Fault, FieldFault},
};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use onetrip_model::{
    DivisionCode, StaffId, UnitCode,
    access::{Role, StaffMember},
};
use sqlx::FromRow;
use std::sync::OnceLock;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// How long a session lasts.
const SESSION_HOURS: f64 = 12.0;
/// Wrong passwords for one name within the window before it has to wait.
const GUESSES_MAX: i64 = 5;
const GUESS_WINDOW_SECONDS: u32 = 300;
const PASSWORD_CHARS_MAX: usize = 200;
/// Passwords verified at the same time: each takes some 20 MB and a core.
static VERIFYING: Semaphore = Semaphore::const_new(4);

/// A signed-in member of staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub member: StaffMember,
    pub name: String,
    pub name_en: String,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewStaff {
    pub id: StaffId,
    pub sign_in: String,
    pub name: String,
    pub name_en: String,
    pub role: Role,
    pub area: DivisionCode,
    pub unit: Option<UnitCode>,
    pub password: String,
}

#[derive(FromRow)]
struct Account {
    id: Uuid,
    name: String,
    name_en: String,
    role: String,
    area: String,
    unit: Option<String>,
    password_hash: String,
}

fn hash(password: &str) -> Result<String, CaseworkError> {
    Ok(Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(CaseworkError::internal)?
        .to_string())
}

/// Checked where the name is unknown, so that the answer takes as long.
fn nobodys_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash("nobody has this password").unwrap_or_default())
}

fn verify(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
    })
}

impl Casework {
    /// A new session's token, or `NotSignedIn` for a wrong name or password, which are answered alike.
    pub async fn sign_in(&self, name: &str, password: &str) -> Result<String, CaseworkError> {
        let mut faults = Vec::new();
        for (field, value) in [("sign_in", name), ("password", password)] {
            if value.is_empty() {
                faults.push(FieldFault {
                    field,
                    fault: Fault::Missing,
                });
            } else if value.chars().count() > PASSWORD_CHARS_MAX {
                faults.push(FieldFault {
                    field,
                    fault: Fault::TooLong {
                        max: PASSWORD_CHARS_MAX,
                    },
                });
            }
        }
        if !faults.is_empty() {
            return Err(CaseworkError::Invalid(faults));
        }
        // No account has such a name, and PostgreSQL takes no such text.
        if name.contains('\0') {
            return Err(CaseworkError::NotSignedIn);
        }
        let what = URL_SAFE_NO_PAD.encode(self.vault().digest("sign-in", name.trim().as_bytes()));
        let guess = self.count_guess(&what).await?;
        let account: Option<Account> = sqlx::query_as(
            "SELECT id, name, name_en, role, area, unit, password_hash FROM staff WHERE sign_in = $1 AND active",
        )
        .bind(name.trim())
        .fetch_optional(self.pool())
        .await?;
        let known = account.is_some();
        let hash = account
            .as_ref()
            .map_or(nobodys_hash().to_owned(), |account| account.password_hash.clone());
        let password = password.to_owned();
        let permit = VERIFYING.acquire().await.map_err(CaseworkError::internal)?;
        let fits = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when whoever asked has gone.
            let _permit = permit;
            verify(&password, &hash)
        });
        let fits = fits.await;
        let fits = fits.map_err(CaseworkError::internal)?;
        let Some(account) = account.filter(|_| fits && known) else {
            return Err(CaseworkError::NotSignedIn);
        };
        sqlx::query("DELETE FROM guesses WHERE what = $1 AND at = $2")
            .bind(&what)
            .bind(guess)
            .execute(self.pool())
            .await?;
        let mut token = [0_u8; 32];
        getrandom::fill(&mut token).map_err(CaseworkError::internal)?;
        let token = URL_SAFE_NO_PAD.encode(token);
        sqlx::query(
            "INSERT INTO sessions (token_digest, staff, expires_at)
             VALUES ($1, $2, now() + make_interval(secs => $3 * 3600))",
        )
        .bind(&self.token_digest(&token)[..])
        .bind(account.id)
        .bind(SESSION_HOURS)
        .execute(self.pool())
        .await?;
        Ok(token)
    }

    /// Counts a guess before it is known to be wrong, one after the other: those sent all at once count all the same.
    /// Fails where the name has to wait.
    async fn count_guess(&self, what: &str) -> Result<DateTime<Utc>, CaseworkError> {
        let mut transaction = self.pool().begin().await?;
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))")
            .bind(what)
            .execute(&mut *transaction)
            .await?;
        let guesses: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM guesses WHERE what = $1 AND at > now() - make_interval(secs => $2)",
        )
        .bind(what)
        .bind(f64::from(GUESS_WINDOW_SECONDS))
        .fetch_one(&mut *transaction)
        .await?;
        if guesses >= GUESSES_MAX {
            transaction.rollback().await?;
            return Err(CaseworkError::TooManyTries {
                retry_after_seconds: GUESS_WINDOW_SECONDS.into(),
            });
        }
        let at = sqlx::query_scalar("INSERT INTO guesses (what) VALUES ($1) RETURNING at")
            .bind(what)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(at)
    }

    fn token_digest(&self, token: &str) -> [u8; 32] {
        self.vault().digest("session", token.as_bytes())
    }

    /// Who a token belongs to, as their account stands now.
    pub async fn session(&self, token: &str) -> Result<Option<SignedIn>, CaseworkError> {
        self.in_time(self.try_session(token)).await
    }

    async fn try_session(&self, token: &str) -> Result<Option<SignedIn>, CaseworkError> {
        let account: Option<Account> = sqlx::query_as(
            "SELECT staff.id, name, name_en, role, area, unit, password_hash
             FROM sessions JOIN staff ON staff.id = sessions.staff
             WHERE token_digest = $1 AND expires_at > now() AND active",
        )
        .bind(&self.token_digest(token)[..])
        .fetch_optional(self.pool())
        .await?;
        let Some(account) = account else { return Ok(None) };
        let role = Role::parse(&account.role)
            .ok_or_else(|| CaseworkError::internal(format_args!("unknown role {}", account.role)))?;
        let id = StaffId(account.id);
        let member = StaffMember {
            id,
            role,
            area: DivisionCode(account.area),
            unit: account.unit.map(UnitCode),
            contact_districts: self.directory().contact_districts_of(id),
        };
        Ok(Some(SignedIn {
            member,
            name: account.name,
            name_en: account.name_en,
        }))
    }

    pub async fn sign_out(&self, token: &str) -> Result<(), CaseworkError> {
        sqlx::query("DELETE FROM sessions WHERE token_digest = $1")
            .bind(&self.token_digest(token)[..])
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Makes an account, or gives an existing one of that name a new password and place.
    pub async fn put_staff(&self, staff: NewStaff) -> Result<(), CaseworkError> {
        let password = staff.password;
        let hash = tokio::task::spawn_blocking(move || hash(&password))
            .await
            .map_err(CaseworkError::internal)??;
        sqlx::query(
            "INSERT INTO staff (id, sign_in, name, name_en, role, area, unit, password_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (sign_in) DO UPDATE SET name = excluded.name, name_en = excluded.name_en,
                 role = excluded.role, area = excluded.area, unit = excluded.unit,
                 password_hash = excluded.password_hash, active = true",
        )
        .bind(staff.id.0)
        .bind(&staff.sign_in)
        .bind(&staff.name)
        .bind(&staff.name_en)
        .bind(staff.role.as_str())
        .bind(staff.area.as_str())
        .bind(staff.unit.as_ref().map(UnitCode::as_str))
        .bind(&hash)
        .execute(self.pool())
        .await?;
        // Whoever held the old password is out at once.
        sqlx::query("DELETE FROM sessions WHERE staff = (SELECT id FROM staff WHERE sign_in = $1)")
            .bind(&staff.sign_in)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
