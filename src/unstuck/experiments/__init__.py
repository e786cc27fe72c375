"""TEST: counterfactual training runs. One change, paired seeds, a control and a placebo."""
