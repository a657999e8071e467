//! The real router over a database of its own, with one street and one person of each role.

#![allow(dead_code, reason = "each test binary uses its own part")]

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use onetrip_casework::{Casework, NewStaff, system_clock};
use onetrip_cluster::testing::{TestDatabase, test_database};
use onetrip_event_log::{MasterKey, Vault};
use onetrip_model::{StaffId, access::Role, policy::Rules};
use onetrip_runner::Runner;
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;
use uuid::Uuid;

pub const CITY: &str = "4403";
pub const STREET: &str = "440304008";
pub const COMMUNITY: &str = "440304008021";
pub const DESK: &str = "440304008-desk";
pub const URBAN: &str = "440304008-urban";
pub const PASSWORD: &str = "a made-up password";

/// Sign-in name, role, area and unit of everybody.
pub const STAFF: [(&str, Role, &str, Option<&str>); 7] = [
    ("clerk", Role::Clerk, STREET, Some(DESK)),
    ("cadre", Role::ContactCadre, STREET, Some(DESK)),
    ("unit", Role::HandlingUnit, STREET, Some(URBAN)),
    ("supervisor", Role::Supervisor, "440304", None),
    ("administrator", Role::Administrator, CITY, None),
    // Of the next district: sees nothing of the street above.
    ("elsewhere", Role::Clerk, "440305001", Some("440305001-desk")),
    ("supervisor-elsewhere", Role::Supervisor, "440305", None),
];

pub struct TestApi {
    pub router: Router,
    pub casework: Casework,
    pub database: TestDatabase,
    stop: DropGuard,
}

pub async fn start() -> TestApi {
    start_patient(Duration::from_secs(60)).await
}

/// As [`start`], with so much time for an answer.
pub async fn start_patient(patience: Duration) -> TestApi {
    let database = test_database(&sqlx::migrate!("../../migrations")).await;
    let pool = database.pool.clone();
    sqlx::raw_sql(
        "INSERT INTO divisions (code, level, name, name_en, parent_code) VALUES
            ('4403', 'city', '深圳市', 'Shenzhen', NULL),
            ('440304', 'district', '福田区', 'Futian', '4403'),
            ('440305', 'district', '南山区', 'Nanshan', '4403'),
            ('440304008', 'street', '莲花街道', 'Lianhua', '440304'),
            ('440305001', 'street', '南头街道', 'Nantou', '440305'),
            ('440304008021', 'community', '彩田社区', NULL, '440304008');
         INSERT INTO units (code, name, name_en, division, office) VALUES
            ('440304008-desk', '莲花街道窗口', 'Lianhua desk', '440304008', 'desk'),
            ('440304008-urban', '莲花街道城管办', 'Lianhua urban office', '440304008', 'urban'),
            ('440305001-desk', '南头街道窗口', 'Nantou desk', '440305001', 'desk');",
    )
    .execute(&pool)
    .await
    .unwrap();
    let policy = include_str!("../../../../ops/policy/2026-1.toml");
    let days = include_str!("../../../../ops/data/cn-calendar.csv");
    let vault = Vault::new(&MasterKey::from_hex(&"0b".repeat(32)).unwrap());
    let rules = Arc::new(Rules::read(policy, days).unwrap());
    let registry = prometheus::Registry::new();
    let casework = Casework::new(pool.clone(), vault, rules, system_clock(), &registry)
        .await
        .unwrap()
        .with_patience(Duration::from_secs(30));
    for (place, (name, role, area, unit)) in STAFF.into_iter().enumerate() {
        let staff = NewStaff {
            id: StaffId(Uuid::from_u128(place as u128 + 1)),
            sign_in: name.to_owned(),
            name: name.to_owned(),
            name_en: name.to_owned(),
            role,
            area: area.into(),
            unit: unit.map(Into::into),
            password: PASSWORD.to_owned(),
        };
        casework.put_staff(staff).await.unwrap();
    }
    sqlx::query(
        "INSERT INTO contact_districts (code, name, name_en, street, communities, cadre)
         SELECT '440304008-1', '一片区', 'First', '440304008', ARRAY['440304008021'], id FROM staff
         WHERE sign_in = 'cadre'",
    )
    .execute(&pool)
    .await
    .unwrap();
    casework.directory().reload(casework.pool()).await.unwrap();

    let runner = Runner::new(pool, onetrip_read_models::all());
    runner.prepare().await.unwrap();
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let log = casework.log().clone();
    tokio::spawn(async move {
        let nudge = move || {
            let log = log.clone();
            async move { log.appended().await }
        };
        runner.run(stopping, nudge).await;
    });
    TestApi {
        router: onetrip_api::router(casework.clone(), patience),
        casework,
        database,
        stop: stop.drop_guard(),
    }
}

/// An answer of the API, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    /// Null where the body is no JSON.
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Fails with the body unless the status is this.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status.as_u16(), status, "{text}");
        self
    }

    /// Fails unless this is a problem of the kind with the status.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Answer {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(
            answer.body["type"],
            format!("urn:onetrip:problem:{slug}"),
            "{}",
            answer.body
        );
        assert_eq!(answer.body["status"], status);
        assert_eq!(answer.body["request_id"], answer.header("x-request-id"));
        let title = answer.body["title"].as_str().unwrap();
        assert!(
            !title.is_empty() && !title.contains(onetrip_i18n::MISSING_MARK),
            "{title}"
        );
        answer
    }
}

/// A request in the making.
pub struct Call<'a> {
    api: &'a TestApi,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

static KEYS: AtomicU32 = AtomicU32::new(0);

impl TestApi {
    pub fn call(&self, method: Method, path: impl Into<String>) -> Call<'_> {
        Call {
            api: self,
            method,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    pub fn get(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::GET, path)
    }

    /// With a fresh idempotency key.
    pub fn post(&self, path: impl Into<String>, body: &Value) -> Call<'_> {
        let key = format!("key-of-one-request-{:08}", KEYS.fetch_add(1, Ordering::Relaxed));
        let call = self.call(Method::POST, path).with("idempotency-key", &key);
        call.with("content-type", "application/json")
            .bytes(body.to_string().into_bytes())
    }

    pub async fn sign_in(&self, name: &str) -> String {
        let body = serde_json::json!({ "sign_in": name, "password": PASSWORD });
        let answer = self.post("/api/v1/sessions", &body).send().await.expect(201);
        answer.body["token"].as_str().unwrap().to_owned()
    }
}

impl Call<'_> {
    /// Sets a header; an empty value takes it away.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if value.is_empty() {
            self.headers.remove(name);
        } else {
            self.headers.insert(name, value.parse().unwrap());
        }
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    pub fn bytes(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    pub async fn send(self) -> Answer {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .body(Body::from(self.body))
            .unwrap();
        *request.headers_mut() = self.headers;
        let response = self.api.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let is_json = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().ends_with(b"json"));
        let body = if is_json {
            serde_json::from_slice(&bytes).unwrap()
        } else {
            Value::Null
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
            body,
        }
    }
}

/// A case to file; `place` makes the matter its own.
pub fn filing(place: &str) -> Value {
    serde_json::json!({
        "category": "street_lights", "words": "路灯坏了一周", "division": COMMUNITY,
        "place_words": place, "name": "王小明", "phone": "13800138000",
    })
}

/// A small picture.
pub fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(8, 8)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}
