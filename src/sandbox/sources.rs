//! The machine's apt sources, read to find the Debian mirror that its owner chose.

/// One enabled source of binary packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its address, as written.
    pub uri: String,
    /// Suites, such as `bookworm` or `bookworm-security`.
    pub suites: Vec<String>,
    /// Components, such as `main`.
    pub components: Vec<String>,
    /// Keyring file, when the entry names one.
    pub signed_by: Option<String>,
}

/// The names under which Debian publishes its archive; a third party has other suites.
const SUITES: [&str; 16] = [
    "buster",
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "stable",
    "oldstable",
    "oldoldstable",
    "testing",
    "unstable",
    "experimental",
    "rc-buggy",
    "stable-updates",
    "proposed-updates",
];

/// The entries of a one-line file (`sources.list`). Lines that can't be read are left out.
#[must_use]
pub fn parse_list(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim();
    let rest = line.strip_prefix("deb")?;
    if !rest.starts_with([' ', '\t', '[']) {
        return None;
    }
    let rest = rest.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let uri = words.next()?.to_owned();
    let suite = words.next()?.to_owned();
    let signed_by = options
        .split_whitespace()
        .find_map(|option| option.strip_prefix("signed-by="))
        .map(ToOwned::to_owned);
    Some(Source {
        uri,
        suites: vec![suite],
        components: words.map(ToOwned::to_owned).collect(),
        signed_by,
    })
}

/// The entries of a deb822 file (`*.sources`), one per address of each enabled stanza.
#[must_use]
pub fn parse_deb822(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            sources.extend(stanza(&fields));
            fields.clear();
        } else if line.starts_with('#') {
            // A comment may stand inside a field.
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    sources
}

fn stanza(fields: &[(String, String)]) -> Vec<Source> {
    let field = |name: &str| {
        fields
            .iter()
            .find(|(found, _)| found == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let words = |name: &str| -> Vec<String> {
        field(name)
            .split_whitespace()
            .map(ToOwned::to_owned)
            .collect()
    };
    let enabled = !["no", "false", "0"].contains(&field("enabled").to_ascii_lowercase().as_str());
    if !enabled || !words("types").iter().any(|kind| kind == "deb") {
        return Vec::new();
    }
    // An embedded key block is no file; the archive's own keyring is used instead.
    let signed_by = Some(field("signed-by"))
        .filter(|value| value.starts_with('/') && !value.contains('\n'))
        .map(ToOwned::to_owned);
    words("uris")
        .into_iter()
        .map(|uri| Source {
            uri,
            suites: words("suites"),
            components: words("components"),
            signed_by: signed_by.clone(),
        })
        .collect()
}

/// The entry that is Debian's own main archive, or a mirror of it: no security or backports
/// archive, no third party, no `cdrom:`, and nothing whose address would not survive quoting.
///
/// One signed with Debian's keys wins; one with another key is taken when its address ends in a
/// folder called `debian…`, as in-house mirrors do.
#[must_use]
pub fn debian_archive(sources: &[Source]) -> Option<&Source> {
    let mirrors = || sources.iter().filter(|source| is_mirror(source));
    mirrors()
        .find(|source| source.is_signed_by_debian())
        .or_else(|| mirrors().find(|source| source.signed_by.is_some() && ends_in_debian(source)))
}

impl Source {
    /// Whether Debian's archive keys are to verify this entry; without a key named, apt's own
    /// trusted keys do, and then the address must speak for itself.
    #[must_use]
    pub fn is_signed_by_debian(&self) -> bool {
        match &self.signed_by {
            Some(path) => path.contains("/debian-archive-"),
            None => self.uri.contains("debian"),
        }
    }
}

fn is_mirror(source: &Source) -> bool {
    let fetched = ["http://", "https://", "mirror+file:"]
        .iter()
        .any(|scheme| source.uri.starts_with(scheme));
    let clean = !source.uri.contains(['[', ']', '"', '#', '$', '\\']);
    let main = source.components.iter().any(|name| name == "main");
    let debian = source
        .suites
        .iter()
        .any(|suite| SUITES.contains(&suite.as_str()));
    let elsewhere = ["security", "ubuntu", "backports"]
        .iter()
        .any(|word| source.uri.contains(word));
    fetched && clean && main && debian && !elsewhere
}

fn ends_in_debian(source: &Source) -> bool {
    source
        .uri
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .is_some_and(|folder| folder.starts_with("debian"))
}

#[cfg(test)]
mod tests {
    use super::{Source, debian_archive, parse_deb822, parse_list};

    fn uri(sources: &[Source]) -> Option<&str> {
        debian_archive(sources).map(|source| source.uri.as_str())
    }

    #[test]
    fn one_line_entries() {
        let text = "# deb http://off.example/debian sid main\n\
                    deb cdrom:[Debian]/ bookworm main\n\
                    deb-src http://src.example/debian bookworm main\n\
                    deb [arch=amd64 signed-by=/usr/share/keyrings/v.gpg] https://vendor.example/apt ./\n\
                    deb http://security.example/debian-security bookworm-security main\n\
                    deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] https://mirror.example/deb bookworm main contrib # mine\n";
        let sources = parse_list(text);
        assert_eq!(sources.len(), 4);
        assert_eq!(uri(&sources), Some("https://mirror.example/deb"));
    }

    #[test]
    fn in_house_mirrors_with_their_own_key() {
        let text = "deb [signed-by=/k.gpg] https://mirror.example/debian-all/ trixie main\n";
        let sources = parse_list(text);
        assert_eq!(uri(&sources), Some("https://mirror.example/debian-all/"));
        assert!(!sources[0].is_signed_by_debian());
        let cloud = parse_list("deb mirror+file:///etc/apt/mirrors/debian.list trixie main");
        assert_eq!(
            uri(&cloud),
            Some("mirror+file:///etc/apt/mirrors/debian.list")
        );
    }

    #[test]
    fn deb822_entries() {
        let text = "Types: deb\n# first\nURIs: http://security.example/debian-security\nSuites: trixie-security\nComponents: main\n\n\
                    Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: trixie\nComponents: main\n\n\
                    Types: deb deb-src\nURIs: http://one.example/debian\n http://two.example/debian\n\
                    Suites: trixie trixie-updates\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n";
        let sources = parse_deb822(text);
        assert_eq!(sources.len(), 3);
        assert_eq!(uri(&sources), Some("http://one.example/debian"));
        assert_eq!(sources[1].signed_by, None);
    }

    #[test]
    fn ubuntu_and_vendors_are_not_debian() {
        let vendors = "deb http://archive.example/ubuntu noble main\n\
                       deb https://repo.example/apt stable main\n\
                       deb [signed-by=/k.gpg] https://repo.example/debian/12/prod bookworm main\n\
                       deb file:/srv/debian sid main\n";
        let sources = parse_list(vendors);
        assert_eq!(sources.len(), 4);
        assert_eq!(uri(&sources), None);
    }
}
