//! Content types by the ending of a name.
//!
//! The registry of IANA where it has the type, and what browsers need: a script that is not called one is not run under
//! `nosniff`. Text is UTF-8, which is what people write today.

/// The content type of `name`: that of `own`, by ending without its dot, else the built-in one. Unknown endings are
/// `application/octet-stream`, which is offered to be saved.
#[must_use]
pub fn content_type<'a>(name: &[u8], own: &'a [(String, String)]) -> &'a str {
    let Some(dot) = memchr::memrchr(b'.', name) else { return OTHER };
    let ending = name[dot + 1..].to_ascii_lowercase();
    let ending = str::from_utf8(&ending).unwrap_or_default();
    let own = own.iter().find(|(each, _)| each.eq_ignore_ascii_case(ending));
    if let Some((_, content_type)) = own {
        return content_type;
    }
    TYPES
        .iter()
        .find(|(endings, _)| endings.contains(&ending))
        .map_or(OTHER, |(_, content_type)| content_type)
}

/// Whether bodies of this type are worth compressing: text, and what is text in disguise.
#[must_use]
pub fn is_compressible(content_type: &str) -> bool {
    let name = content_type.split(';').next().unwrap_or_default().trim();
    name.starts_with("text/")
        || name.ends_with("+json")
        || name.ends_with("+xml")
        || matches!(
            name,
            "application/json"
                | "application/javascript"
                | "application/xml"
                | "application/wasm"
                | "application/vnd.ms-fontobject"
                | "font/ttf"
                | "font/otf"
                | "image/bmp"
                | "image/x-icon"
        )
}

const OTHER: &str = "application/octet-stream";

const TYPES: &[(&[&str], &str)] = &[
    (&["html", "htm"], "text/html; charset=utf-8"),
    (&["css"], "text/css; charset=utf-8"),
    (&["js", "mjs", "cjs"], "text/javascript; charset=utf-8"),
    (&["json", "map"], "application/json"),
    (&["png"], "image/png"),
    (&["jpg", "jpeg", "jpe"], "image/jpeg"),
    (&["svg"], "image/svg+xml; charset=utf-8"),
    (&["svgz"], "image/svg+xml"),
    (&["webp"], "image/webp"),
    (&["avif"], "image/avif"),
    (&["gif"], "image/gif"),
    (&["ico"], "image/x-icon"),
    (&["woff2"], "font/woff2"),
    (&["woff"], "font/woff"),
    (&["ttf"], "font/ttf"),
    (&["otf"], "font/otf"),
    (&["eot"], "application/vnd.ms-fontobject"),
    (
        &[
            "txt", "text", "log", "conf", "cfg", "ini", "diff", "patch", "py", "rs", "c", "h", "cc", "cpp",
            "hpp", "go", "java", "rb", "sh", "pl", "lua", "toml", "rst", "sum",
        ],
        "text/plain; charset=utf-8",
    ),
    (&["md", "markdown"], "text/markdown; charset=utf-8"),
    (&["csv"], "text/csv; charset=utf-8"),
    (&["tsv"], "text/tab-separated-values; charset=utf-8"),
    (&["ics"], "text/calendar; charset=utf-8"),
    (&["vcf"], "text/vcard; charset=utf-8"),
    (&["vtt"], "text/vtt; charset=utf-8"),
    (&["yaml", "yml"], "application/yaml"),
    (&["xml", "xsl", "xsd"], "application/xml; charset=utf-8"),
    (&["xhtml"], "application/xhtml+xml; charset=utf-8"),
    (&["rss"], "application/rss+xml; charset=utf-8"),
    (&["atom"], "application/atom+xml; charset=utf-8"),
    (&["webmanifest"], "application/manifest+json"),
    (&["jsonld"], "application/ld+json"),
    (&["geojson"], "application/geo+json"),
    (&["wasm"], "application/wasm"),
    (&["pdf"], "application/pdf"),
    (&["zip"], "application/zip"),
    (&["gz", "tgz"], "application/gzip"),
    (&["bz2"], "application/x-bzip2"),
    (&["xz"], "application/x-xz"),
    (&["zst"], "application/zstd"),
    (&["tar"], "application/x-tar"),
    (&["7z"], "application/x-7z-compressed"),
    (&["jar"], "application/java-archive"),
    (&["mp4", "m4v"], "video/mp4"),
    (&["webm"], "video/webm"),
    (&["ogv"], "video/ogg"),
    (&["mov"], "video/quicktime"),
    (&["mkv"], "video/matroska"),
    (&["ts"], "video/mp2t"),
    (&["m3u8"], "application/vnd.apple.mpegurl"),
    (&["mpd"], "application/dash+xml"),
    (&["mp3"], "audio/mpeg"),
    (&["m4a"], "audio/mp4"),
    (&["aac"], "audio/aac"),
    (&["ogg", "oga", "opus"], "audio/ogg"),
    (&["flac"], "audio/flac"),
    (&["wav"], "audio/wav"),
    (&["weba"], "audio/webm"),
    (&["bmp"], "image/bmp"),
    (&["tif", "tiff"], "image/tiff"),
    (&["jxl"], "image/jxl"),
    (&["heic"], "image/heic"),
    (&["rtf"], "application/rtf"),
    (&["doc"], "application/msword"),
    (&["xls"], "application/vnd.ms-excel"),
    (&["ppt"], "application/vnd.ms-powerpoint"),
    (&["docx"], "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (&["xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (&["pptx"], "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    (&["odt"], "application/vnd.oasis.opendocument.text"),
    (&["ods"], "application/vnd.oasis.opendocument.spreadsheet"),
    (&["epub"], "application/epub+zip"),
    (&["der", "cer", "crt"], "application/pkix-cert"),
    (&["pem"], "application/x-pem-file"),
    (&["bin", "exe", "dll", "deb", "rpm", "iso", "img", "dmg"], OTHER),
];
