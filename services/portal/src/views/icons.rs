//! Line icons on a 24 px grid, drawn in the colour of the text around them.

macro_rules! svg {
    ($body:literal) => {
        concat!(
            r#"<svg class="i" viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" "#,
            r#"stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">"#,
            $body,
            "</svg>"
        )
    };
}

/// The whole `<svg>` of an icon, or nothing.
pub(super) fn icon(name: &str) -> &'static str {
    match name {
        "appeal" => svg!(r#"<path d="M4 5h16v11H11l-4.5 4v-4H4z"/><path d="M12 8v3.5M12 13.5v.1"/>"#),
        "suggestion" => svg!(
            r#"<path d="M9 18h6M10 21h4M12 3a6 6 0 0 0-3.6 10.8c.7.6 1.1 1.3 1.1 2.2h5c0-.9.4-1.6 1.1-2.2A6 6 0 0 0 12 3z"/>"#
        ),
        "hearing_request" => {
            svg!(r#"<path d="M3 20h18M5 20v-7M19 20v-7M4 13h16M12 3v3M8 9.5a4 4 0 0 1 8 0V13H8z"/>"#)
        }
        "next" => svg!(r#"<path d="M9 5l7 7-7 7"/>"#),
        "back" => svg!(r#"<path d="M15 5l-7 7 7 7"/>"#),
        "photo" => svg!(r#"<path d="M4 7h4l1.5-2.5h5L16 7h4v12H4z"/><circle cx="12" cy="13" r="3.5"/>"#),
        "place" => svg!(
            r#"<path d="M12 21s7-6.2 7-11.5A7 7 0 0 0 5 9.5C5 14.8 12 21 12 21z"/><circle cx="12" cy="9.5" r="2.5"/>"#
        ),
        "phone" => svg!(
            r#"<path d="M6 3h3l1.5 5-2 1.500a12 12 0 0 0 6 6l1.5-2 5 1.500v3c0 1.1-.9 2-2 2A15.5 15.5 0 0 1 4 5c0-1.1.9-2 2-2z"/>"#
        ),
        "counter" => svg!(r#"<path d="M4 21V9l8-5 8 5v12M2 21h20M9 21v-6h6v6"/>"#),
        "warn" => svg!(r#"<path d="M12 4 2.5 20h19z"/><path d="M12 10v4.500M12 17v.1"/>"#),
        "ok" => svg!(r#"<path d="M4 12.5 9.5 18 20 6.5"/>"#),
        "clock" => svg!(r#"<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>"#),
        "lock" => svg!(r#"<path d="M5 11h14v10H5zM8 11V7.500a4 4 0 0 1 8 0V11"/>"#),
        "search" => svg!(r#"<circle cx="10.5" cy="10.5" r="6.5"/><path d="m15.5 15.5 5 5"/>"#),
        "print" => svg!(r#"<path d="M7 8V3h10v5M7 17H4V8h16v9h-3M7 14h10v7H7z"/>"#),
        "copy" => svg!(r#"<path d="M9 9h11v12H9z"/><path d="M15 9V3H4v12h5"/>"#),
        "person" => svg!(r#"<circle cx="12" cy="8" r="4"/><path d="M4 21c.5-4.5 3.5-7 8-7s7.5 2.5 8 7"/>"#),
        "trip" => svg!(
            r#"<circle cx="5.5" cy="18.5" r="2"/><circle cx="18.5" cy="5.5" r="2"/><path d="M7.5 18.500H16a3.5 3.5 0 0 0 0-7H8a3 3 0 0 1 0-6h8.5"/>"#
        ),
        "paper" => svg!(r#"<path d="M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6"/>"#),
        "speak" => svg!(
            r#"<path d="M4 9.500v5h3.500L12 19V5L7.5 9.500zM15.5 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11"/>"#
        ),
        "filter" => svg!(r#"<path d="M3 6h18M6.5 12h11M10 18h4"/>"#),
        "queue" => svg!(r#"<path d="M4 6h16M4 12h16M4 18h10"/>"#),
        "board" => svg!(r#"<path d="M4 20V10M10 20V4M16 20v-7M21 20H3"/>"#),
        "add" => svg!(r#"<path d="M12 5v14M5 12h14"/>"#),
        _ => "",
    }
}
