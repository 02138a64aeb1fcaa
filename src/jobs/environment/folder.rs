//! Folders by their URIs: which one is, or lies in, another.

/// A folder, without what two texts of the same one can differ in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FolderUri<'t> {
    scheme: String,
    authority: String,
    path: Vec<&'t str>,
}

impl<'t> FolderUri<'t> {
    /// Reads `scheme://authority/path`. Slashes that stand twice or at the end, `.` and `..` change nothing, nor does the case of
    /// scheme and authority; `s3a` and `s3p` are the other names that Flink has for `s3`.
    pub(super) fn of(text: &'t str) -> Self {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let (authority, names) = rest.split_once('/').unwrap_or((rest, ""));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "s3a" | "s3p" => "s3".to_owned(),
            other => other.to_owned(),
        };
        let authority = match authority.to_ascii_lowercase().as_str() {
            "localhost" if scheme == "file" => String::new(),
            other => other.to_owned(),
        };
        let mut path = Vec::new();
        for name in names.split('/') {
            match name {
                "" | "." => {}
                ".." => {
                    path.pop();
                }
                name => path.push(name),
            }
        }
        Self { scheme, authority, path }
    }

    /// Whether `other` is this folder or lies in it.
    pub(super) fn holds(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.authority == other.authority && other.path.starts_with(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_has_many_texts() {
        let folder = FolderUri::of("s3://bucket/jobs/onprem");
        for same in [
            "s3://bucket/jobs/onprem/",
            "s3://bucket//jobs/./onprem",
            "S3A://Bucket/jobs/cloud/../onprem",
            "s3p://bucket/jobs/onprem/",
        ] {
            assert_eq!(FolderUri::of(same), folder, "{same}");
        }
        let local = FolderUri::of("file:///tmp/onprem");
        assert_eq!(FolderUri::of("file://localhost/tmp/onprem/"), local);
        for inside in ["file:///tmp/onprem/a", "file:///tmp/onprem/a/b/"] {
            assert!(local.holds(&FolderUri::of(inside)) && !FolderUri::of(inside).holds(&local), "{inside}");
        }
        for other in ["file:///tmp/onprem2", "file:///tmp/Onprem", "s3://tmp/onprem", "hdfs:///tmp/onprem"] {
            assert!(!local.holds(&FolderUri::of(other)) && !FolderUri::of(other).holds(&local), "{other}");
        }
    }
}
