//! What chunks are made of, and what becomes of them.

use super::{CHUNK_BYTES, Pool};

#[test]
fn a_spare_chunk_is_kept_when_something_larger_comes() {
    let mut pool = Pool::default();
    let small = vec![b'x'; CHUNK_BYTES / 2 + 1];
    let held: Vec<_> = (0..3)
        .map(|_| {
            let segment = pool.copy(&small, 1);
            pool.hold(segment.chunk, segment.len());
            segment
        })
        .collect();
    for segment in held {
        pool.release(segment.chunk, segment.len());
    }
    assert_eq!(pool.spare.len(), 2, "the third is open");
    let large = pool.copy(&vec![b'x'; CHUNK_BYTES + 1], 1);
    pool.hold(large.chunk, large.len());
    assert_eq!(pool.spare.len(), 3, "the open one is put by too");
    pool.release(large.chunk, large.len());
    assert_eq!((pool.spare.len(), pool.retained()), (3, 0));
}
