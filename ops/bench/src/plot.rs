//! Bars and lines as SVG.

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

/// One line of shares, 0 to 1 both ways.
pub struct Line<'a> {
    pub label: &'a str,
    pub points: Vec<(f64, f64)>,
}

/// Lines over one another in a square of shares.
pub fn lines(title: &str, x_label: &str, y_label: &str, lines: &[Line<'_>]) -> String {
    const COLORS: [&str; 4] = ["#1f6f5c", "#b0703a", "#4a64a8", "#7a7f87"];
    const SIDE: f64 = 420.0;
    const LEFT: f64 = 60.0;
    const TOP: f64 = 20.0;
    let x = |share: f64| LEFT + share * SIDE;
    let y = |share: f64| TOP + (1.0 - share) * SIDE;
    let mut body = String::new();
    for tenth in (0..=10).step_by(2) {
        let share = f64::from(tenth) / 10.0;
        let _ = write!(
            body,
            r##"<path d="M{} {}H{}M{} {}V{}" stroke="#d8dade"/><text x="{}" y="{}" text-anchor="middle">{share:.1}</text><text x="{}" y="{}" text-anchor="end">{share:.1}</text>"##,
            x(0.0),
            y(share),
            x(1.0),
            x(share),
            y(0.0),
            y(1.0),
            x(share),
            y(0.0) + 16.0,
            x(0.0) - 6.0,
            y(share) + 4.0,
        );
    }
    for ((line, color), place) in lines.iter().zip(COLORS.iter().cycle()).zip(0_u32..) {
        let points: Vec<String> = line
            .points
            .iter()
            .map(|(right, up)| format!("{:.1},{:.1}", x(*right), y(*up)))
            .collect();
        let label_y = y(0.3) + f64::from(place) * 18.0;
        let _ = write!(
            body,
            r##"<polyline points="{}" fill="none" stroke="{color}" stroke-width="2"/><rect x="{}" y="{}" width="14" height="3" fill="{color}"/><text x="{}" y="{label_y}">{}</text>"##,
            points.join(" "),
            x(0.45),
            label_y - 6.0,
            x(0.45) + 20.0,
            line.label,
        );
    }
    let (width, height) = (LEFT + SIDE + 20.0, TOP + SIDE + 44.0);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12" fill="#22262b"><title>{title}</title><rect width="100%" height="100%" fill="#fff"/>{body}<text x="{}" y="{}" text-anchor="middle">{x_label}</text><text x="14" y="{}" text-anchor="middle" transform="rotate(-90 14 {})">{y_label}</text></svg>"##,
        x(0.5),
        height - 8.0,
        y(0.5),
        y(0.5),
    )
}
