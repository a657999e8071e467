//! Static files, built into the binary and served under an address that names their content, so that
//! browsers may keep them for good and a new release is seen at once.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, sync::LazyLock};

use axum::{
    extract::Path,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Files;

struct Asset {
    name: String,
    hashed_name: String,
    bytes: Cow<'static, [u8]>,
}

static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|name| {
            let file = Files::get(&name)?;
            let mut hash = String::with_capacity(12);
            for byte in file.metadata.sha256_hash().iter().take(6) {
                // Writing to a String can't fail.
                let _ = write!(hash, "{byte:02x}");
            }
            let (stem, kind) = name.rsplit_once('.')?;
            let hashed_name = format!("{stem}.{hash}.{kind}");
            Some((
                hashed_name.clone(),
                Asset {
                    name: name.to_string(),
                    hashed_name,
                    bytes: file.data,
                },
            ))
        })
        .collect()
});

/// The address of a file in `static/`: `app.css` gives `/static/app.3f9a….css`. An unknown name gives an
/// address that answers 404, and a test makes sure that no template asks for one.
pub fn url(name: &str) -> String {
    let found = ASSETS.values().find(|asset| asset.name == name);
    format!("/static/{}", found.map_or(name, |asset| &asset.hashed_name))
}

/// Every static file as its name in the address and its bytes, for tools that write pages to disk.
pub fn all() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    ASSETS
        .values()
        .map(|asset| (asset.hashed_name.as_str(), &*asset.bytes))
}

/// Endpoint for `/static/{name}`.
pub async fn serve(Path(name): Path<String>) -> Response {
    let Some(asset) = ASSETS.get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=31536000, immutable"),
        ),
    ];
    (headers, &*asset.bytes).into_response()
}
