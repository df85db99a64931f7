//! Every requirement that is cited by number stands on the page of requirements, and every link leads
//! to the number that it shows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The page, which is the documentation of `bolt12::requirements`.
const PAGE: &str = include_str!("../../src/requirements.md");

/// The files of the crate and of its tests that cite requirements.
fn sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf();
    let mut folders = vec![root.join("src"), root.join("tests")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}

/// The numbers in `text`, such as `R-O-25`, each with the text after it.
fn citations(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("R-").filter_map(|(start, _)| {
        let cited = &text[start..];
        let letter = cited.as_bytes().get(2).copied().filter(u8::is_ascii_uppercase);
        letter.filter(|_| cited.as_bytes().get(3) == Some(&b'-'))?;
        let digits = cited[4..].bytes().take_while(u8::is_ascii_digit).count();
        (digits > 0).then(|| cited.split_at(4 + digits))
    })
}

fn listed() -> BTreeSet<String> {
    let anchors = PAGE.split("<a id=\"").skip(1);
    let anchors = anchors.map(|rest| rest.split_once("\"></a>").unwrap());
    anchors
        .map(|(anchor, rest)| {
            let number = rest.split_once(' ').unwrap().0;
            assert_eq!(anchor, number.to_lowercase(), "the anchor is that of the number after it");
            number.to_owned()
        })
        .collect()
}

#[test]
fn every_number_that_is_cited_is_listed() {
    let listed = listed();
    assert!(listed.len() > 100, "{} numbers are listed", listed.len());
    let mut cited = 0;
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for (number, _) in citations(&text) {
            assert!(listed.contains(number), "{}: {number} is not listed", path.display());
            cited += 1;
        }
    }
    assert!(cited > 100, "{cited} citations were found");
}

#[test]
fn every_link_leads_to_the_number_that_it_shows() {
    let mut links = 0;
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        for (number, rest) in citations(&text) {
            let Some(target) = rest.strip_prefix("](crate::requirements#") else { continue };
            let (anchor, _) = target.split_once(')').unwrap();
            assert_eq!(anchor, number.to_lowercase(), "{}", path.display());
            links += 1;
        }
    }
    assert!(links > 50, "{links} links were found");
}

#[test]
fn a_number_is_distinguished_from_its_surroundings() {
    let found: Vec<_> = citations("(R-O-25 to R-O-28), R-x-1, HR-, R-I-").map(|(number, _)| number).collect();
    assert_eq!(found, ["R-O-25", "R-O-28"]);
}
