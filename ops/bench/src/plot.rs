//! Bars as SVG.

use std::fmt::Write;

const BAR: usize = 18;
const LABEL: usize = 330;
const WIDTH: usize = 520;

/// One bar; those of one group follow one another, under its name.
pub struct Bar<'a> {
    pub group: String,
    pub label: &'a str,
    pub value: f64,
}

pub fn bars<'a>(title: &str, bars: impl IntoIterator<Item = Bar<'a>>) -> String {
    let bars: Vec<Bar<'a>> = bars.into_iter().collect();
    let most = bars.iter().map(|bar| bar.value).fold(1.0, f64::max);
    let (mut body, mut y, mut group) = (String::new(), 10, "");
    for bar in &bars {
        if bar.group != group {
            (group, y) = (&bar.group, y + 26);
            let _ = writeln!(
                body,
                r#"<text x="8" y="{}" font-weight="600">{group}</text>"#,
                y - 6
            );
        }
        let length = (bar.value / most * WIDTH as f64) as usize;
        let color = match bar.label {
            label if label.starts_with("ours") => "#1f6f5c",
            label if label.starts_with("stock") => "#b0703a",
            _ => "#7a7f87",
        };
        let _ = writeln!(
            body,
            r##"<text x="{}" y="{}" text-anchor="end">{}</text><rect x="{LABEL}" y="{y}" width="{length}" height="{}" fill="{color}"/><text x="{}" y="{}">{:.0}</text>"##,
            LABEL - 8,
            y + BAR - 5,
            bar.label,
            BAR - 4,
            LABEL + length + 6,
            y + BAR - 5,
            bar.value,
        );
        y += BAR;
    }
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="12" fill="#22262b"><title>{title}</title><rect width="100%" height="100%" fill="#fff"/>{body}</svg>"##,
        LABEL + WIDTH + 80,
        y + 16
    )
}
