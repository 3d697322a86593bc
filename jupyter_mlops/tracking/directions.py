"""Whether a metric is better when it is lower, from its name."""

from __future__ import annotations

import re

__all__ = ["lower_is_better"]

_LOWER = frozenset(
    """
    loss losses error errors err deviance perplexity ppl brier cost regret residual residuals inertia bouldin divergence
    mae mse rmse mape smape wape medae mdae msle rmsle mase rmspe mspe rss sse nll nloglik bce kld kl hinge pinball ece
    wer cer fpr fnr fdr for hter eer aic bic hqic fid l1 l2 crossentropy logloss mlogloss merror quantileloss
    duration latency time seconds minutes elapsed runtime memory mib gib mb gb bytes kb size violations failures failed missing drift psi
    mistakes misclassified misclassification impurity gini_impurity overfit gap leakage
    """.split()
)
_HIGHER = frozenset(
    """
    accuracy acc auc auroc auprc aucpr roc ap map f1 f2 fbeta precision recall sensitivity specificity r2 r2score
    correlation corr pearson spearman kendall kappa mcc ndcg mrr dcg jaccard iou dice silhouette homogeneity completeness
    likelihood loglik elbo explained gain lift profit revenue reward uplift throughput coverage purity hits hit
    reduction improvement skill saved savings bleu rouge meteor psnr ssim passed
    """.split()
)
_LIKELIHOOD = frozenset(("likelihood", "loglik", "loglikelihood", "elbo"))
_PAIRS = {  # words that only mean something together
    ("cross", "entropy"): True, ("false", "positive"): True, ("false", "negative"): True, ("false", "positives"): True,
    ("false", "negatives"): True, ("false", "discovery"): True, ("false", "omission"): True, ("p", "value"): True,
    ("log", "likelihood"): False, ("true", "positive"): False, ("true", "negative"): False, ("per", "second"): False,
    ("miss", "rate"): True, ("fall", "out"): True, ("fallout", "rate"): True, ("fault", "rate"): True,
}  # fmt: skip
_BREAKS = frozenset("at by on given".split())  # what follows says where it was measured, not what
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+\d*|[A-Z]+\d*|\d+")


def lower_is_better(metric: str) -> bool:
    """Whether lower values of a metric are better, judged word by word; where nothing is known, higher is better.

    The last word that says something decides, as in ``accuracy_loss`` or ``error_reduction``. Scores that scikit-learn
    negates (``neg_log_loss``) are better when higher; a negative likelihood when lower.
    """
    words = _words(metric)
    negated = False
    verdict: bool | None = None
    position = 0
    while position < len(words):
        word = words[position]
        pair = (word, words[position + 1]) if position + 1 < len(words) else (word, "")
        if pair in _PAIRS:
            if pair == ("log", "likelihood") and negated:
                return True
            verdict = _PAIRS[pair]
            position += 2
            if pair == ("per", "second"):
                return False
            continue
        if word in _BREAKS and verdict is not None:
            break
        if word in ("neg", "negative", "negated"):
            negated = True
        elif word in _LIKELIHOOD and negated:
            return True
        elif word in _LOWER:
            verdict = True
        elif word in _HIGHER:
            verdict = False
        position += 1
    if verdict is None:
        return False
    return verdict and not negated


def _words(metric: str) -> list[str]:
    words: list[str] = []
    for found in _WORD.findall(metric):
        word = found.lower()
        if word not in _LOWER and word not in _HIGHER:
            word = word.rstrip("0123456789") or word
        words.append(word)
    return words
