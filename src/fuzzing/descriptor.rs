use super::repair;
use crate::commitlog::{Descriptor, SegmentName};

/// The head of a segment and the name of its file.
pub fn descriptor(data: &[u8]) {
    check(data);
    let mut repaired = data.to_vec();
    if repair::descriptor(&mut repaired).is_some() {
        check(&repaired);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(name) = text.parse::<SegmentName>()
    {
        assert_eq!(name.to_string().parse::<SegmentName>().ok(), Some(name));
    }
}

fn check(data: &[u8]) {
    match Descriptor::parse(data) {
        Ok(descriptor) => {
            let head = data.get(..descriptor.length);
            assert!(head.is_some(), "the descriptor is longer than the file");
            assert_eq!(
                head.map(Descriptor::parse),
                Some(Ok(descriptor)),
                "bytes behind the descriptor matter"
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
