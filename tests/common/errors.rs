//! What a reporter prints of an error: its sentence, then each cause.

use std::error::Error;

/// The sentence of `error` and of each of its causes. Panics when one repeats what another says.
pub fn sentences(error: &(dyn Error + 'static)) -> Vec<String> {
    let causes = std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    let sentences: Vec<_> = causes.map(ToString::to_string).collect();
    for (number, sentence) in sentences.iter().enumerate() {
        let others = sentences.iter().enumerate().filter(|(other, _)| *other != number);
        for (_, other) in others {
            assert!(!other.contains(sentence.as_str()), "said twice: {sentences:#?}");
        }
    }
    sentences
}
