"""How good a ranking is: the field's measures, each said in one function of arrays.

The package needs NumPy alone and knows nothing of the rest of lookalike, so that its figures can be
checked by themselves. Three rules hold throughout.

- **Ties go against the system.** Of equal scores the irrelevant come first (`rank_against_ties`), and a
  threshold takes all pairs of its score or none: no measure depends on luck or on the order of files.
- **A query without positives has no value.** It is NaN for that query; `mean_over_queries` leaves it out
  and says how many were left out.
- **What was not returned was not found.** Measures divide by the positives that exist (`n_relevant`), not
  by those in the list, and a list shorter than k is no excuse: precision@k divides by k.

Ranked measures share two arguments:

ranked_relevance : bool array, shape (n, k)    for each query the list returned, best first: is it relevant?
                                               Lists of different lengths are padded with False
n_relevant : int array, shape (n,)             how many relevant pictures there are for each query
"""

from lookalike.evaluation.metrics.pairs import PrCurve as PrCurve
from lookalike.evaluation.metrics.pairs import RecallAtPrecision as RecallAtPrecision
from lookalike.evaluation.metrics.pairs import RocCurve as RocCurve
from lookalike.evaluation.metrics.pairs import micro_average_precision as micro_average_precision
from lookalike.evaluation.metrics.pairs import pr_curve as pr_curve
from lookalike.evaluation.metrics.pairs import recall_at_precision as recall_at_precision
from lookalike.evaluation.metrics.pairs import roc_curve as roc_curve
from lookalike.evaluation.metrics.ranked import MeanOverQueries as MeanOverQueries
from lookalike.evaluation.metrics.ranked import average_precision as average_precision
from lookalike.evaluation.metrics.ranked import bootstrap_interval as bootstrap_interval
from lookalike.evaluation.metrics.ranked import drop_ranked as drop_ranked
from lookalike.evaluation.metrics.ranked import hit_rate_at_k as hit_rate_at_k
from lookalike.evaluation.metrics.ranked import jaccard as jaccard
from lookalike.evaluation.metrics.ranked import mean_average_precision as mean_average_precision
from lookalike.evaluation.metrics.ranked import mean_over_queries as mean_over_queries
from lookalike.evaluation.metrics.ranked import ndcg_at_k as ndcg_at_k
from lookalike.evaluation.metrics.ranked import precision_at_k as precision_at_k
from lookalike.evaluation.metrics.ranked import r_precision as r_precision
from lookalike.evaluation.metrics.ranked import rank_against_ties as rank_against_ties
from lookalike.evaluation.metrics.ranked import recall_at_k as recall_at_k
from lookalike.evaluation.metrics.ranked import reciprocal_rank as reciprocal_rank
from lookalike.evaluation.metrics.ranked import ukbench_score as ukbench_score
