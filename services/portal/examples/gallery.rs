//! Writes every sample page to a folder, to be looked at and checked by axe-core:
//! `cargo run -p onetrip-portal --example gallery -- OUTDIR`.
//!
//! Files are named `<page>.<locale>.html`, with `.elder` before the locale for the elder mode.

use std::{env, error::Error, fs, path::PathBuf};

use onetrip_http_kit::Prefs;
use onetrip_i18n::Locale;
use onetrip_portal::{assets, views::samples};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::args().nth(1).ok_or("usage: gallery OUTDIR")?);
    fs::create_dir_all(out.join("static"))?;
    for (name, bytes) in assets::all() {
        fs::write(out.join("static").join(name), bytes)?;
    }
    let mut written = 0;
    for locale in Locale::ALL {
        for elder in [false, true] {
            for page in samples::all(Prefs { locale, elder }) {
                // The pages are opened as files, where an address from the root would miss the folder.
                let html = page.html?.replace("\"/static/", "\"static/");
                let mode = if elder { ".elder" } else { "" };
                fs::write(out.join(format!("{}{mode}.{locale}.html", page.name)), html)?;
                written += 1;
            }
        }
    }
    println!("{written} pages");
    Ok(())
}
