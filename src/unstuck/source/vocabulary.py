"""What the names of scikit-learn, pandas, NumPy, imbalanced-learn and Keras stand for."""

from __future__ import annotations

from unstuck.source.values import Kind

STATISTICS: dict[str, Kind] = dict.fromkeys(
    (
        *("StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "QuantileTransformer", "PowerTransformer"),
        *("KBinsDiscretizer", "KernelCenterer", "SplineTransformer"),
        *("SimpleImputer", "Imputer", "KNNImputer", "IterativeImputer", "MissForest"),
        *("PCA", "IncrementalPCA", "KernelPCA", "SparsePCA", "TruncatedSVD", "FastICA", "NMF", "FactorAnalysis"),
        *("LatentDirichletAllocation", "DictionaryLearning", "TSNE", "UMAP", "Isomap", "LocallyLinearEmbedding"),
        *("CountVectorizer", "TfidfVectorizer", "TfidfTransformer", "DictVectorizer", "VarianceThreshold"),
        *("Tokenizer", "Normalization", "TextVectorization", "StringLookup", "IntegerLookup", "Discretization"),
    ),
    "statistics",
)
"""Transformers that keep statistics of the rows they were fitted on."""
COLUMN_BY_COLUMN = frozenset(
    {
        *("StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "QuantileTransformer", "PowerTransformer"),
        *("SimpleImputer", "KNNImputer", "IterativeImputer"),
    }
)
"""Transformers that give as many columns as they are given, in the same order."""
ENCODERS: dict[str, Kind] = dict.fromkeys(
    ("OneHotEncoder", "OrdinalEncoder", "BinaryEncoder", "CountEncoder", "HelmertEncoder"), "encoder"
)
"""Transformers that keep the list of categories only."""
SELECTORS: dict[str, Kind] = dict.fromkeys(
    (
        *("SelectKBest", "SelectPercentile", "SelectFpr", "SelectFdr", "SelectFwe", "GenericUnivariateSelect"),
        *("SelectFromModel", "RFE", "RFECV", "SequentialFeatureSelector", "BorutaPy"),
    ),
    "selection",
)
LABEL_ENCODERS: dict[str, Kind] = dict.fromkeys(
    (
        *("TargetEncoder", "LeaveOneOutEncoder", "CatBoostEncoder", "WOEEncoder", "JamesSteinEncoder"),
        *("MEstimateEncoder", "GLMMEncoder", "NeighborhoodComponentsAnalysis"),
    ),
    "encoding with labels",
)
TRANSFORMERS: dict[str, Kind] = {**STATISTICS, **ENCODERS, **SELECTORS, **LABEL_ENCODERS}
PROJECTIONS_WITH_LABELS = frozenset(
    {"LinearDiscriminantAnalysis", "LDA", "PLSRegression", "PLSCanonical", "PLSSVD", "CCA"}
)
"""They predict, and they transform."""
HARMLESS = frozenset(
    {
        *("Normalizer", "Binarizer", "PolynomialFeatures", "FunctionTransformer", "HashingVectorizer", "FeatureHasher"),
        *("LabelEncoder", "LabelBinarizer", "MultiLabelBinarizer", "AdditiveChi2Sampler", "MissingIndicator"),
    }
)
"""Transformers that keep nothing of the rows, or only the names of classes."""
COMPOSED = frozenset({"Pipeline", "ColumnTransformer", "FeatureUnion"})
COMPOSERS = {
    "make_pipeline": "Pipeline",
    "make_column_transformer": "ColumnTransformer",
    "make_union": "FeatureUnion",
    "DataFrameMapper": "ColumnTransformer",
}
ONE_CALL: dict[str, Kind] = dict.fromkeys(
    (
        *("quantile_transform", "power_transform", "zscore", "qcut"),
        "scale",
        "minmax_scale",
        "robust_scale",
        "maxabs_scale",
    ),
    "statistics",
)
"""Functions of sklearn.preprocessing, scipy.stats and pandas that fit and transform in one call."""
RESAMPLERS = frozenset(
    {
        *("SMOTE", "BorderlineSMOTE", "SVMSMOTE", "KMeansSMOTE", "SMOTENC", "SMOTEN", "ADASYN", "RandomOverSampler"),
        *("SMOTEENN", "SMOTETomek"),
    }
)
"""They add rows made from other rows. Under-samplers only leave rows out: no row is on both sides of a later split."""

AUGMENTATIONS = frozenset(
    {
        *("fliplr", "flipud", "flip", "rot90", "rotate", "mirror", "flip_left_right", "flip_up_down", "warpAffine"),
        *("random_flip_left_right", "random_flip_up_down", "random_brightness", "random_contrast", "random_rotation"),
        *("random_shift", "random_shear", "random_zoom", "random_noise", "adjust_brightness", "add_noise", "augment"),
        *("augment_image", "augment_images", "time_stretch", "pitch_shift"),
    }
)
"""Functions and methods that give a variant of what they are given."""
AUGMENTERS = ("albumentations", "imgaug", "nlpaug")
"""Libraries whose objects give a variant of what they are called with."""

SPLITTERS = frozenset(
    {
        *("KFold", "StratifiedKFold", "GroupKFold", "StratifiedGroupKFold", "RepeatedKFold", "RepeatedStratifiedKFold"),
        *("ShuffleSplit", "StratifiedShuffleSplit", "GroupShuffleSplit", "TimeSeriesSplit"),
        *("LeaveOneOut", "LeavePOut", "LeaveOneGroupOut", "LeavePGroupsOut", "PredefinedSplit"),
    }
)
CROSS_VALIDATIONS = frozenset({"cross_val_score", "cross_val_predict", "cross_validate"})
SEARCHES = frozenset(
    {"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "BayesSearchCV"}
)

SUMMARIES = frozenset(
    {"mean", "std", "var", "min", "max", "median", "quantile", "mode", "ptp", "nanmean", "nanstd", "describe"}
)
SUMMARY_FUNCTIONS = SUMMARIES | {"amin", "amax", "percentile", "nanmedian", "nanmax", "nanmin", "average", "std_dev"}
NO_ROWS = frozenset(
    {
        *(
            "shape",
            "size",
            "ndim",
            "dtype",
            "dtypes",
            "columns",
            "nbytes",
            "itemsize",
            "flags",
            "name",
            "names",
            "plot",
        ),
        *("empty", "feature_names", "target_names", "class_indices", "n", "samples", "classes", "num_classes"),
    }
)
"""Attributes that hold no rows."""
SAME_ROWS = frozenset(
    {
        *("values", "T", "iloc", "loc", "ix", "at", "iat", "str", "dt", "array", "real", "A", "cat", "sparse", "flat"),
        *("to_numpy", "numpy"),
    }
)
NOT_ROWS_METHODS = frozenset(
    {
        *("info", "count", "nunique", "unique", "value_counts", "any", "all", "keys", "plot", "hist"),
        *("boxplot", "sum", "cov", "skew", "kurt", "idxmax", "idxmin", "memory_usage", "to_csv", "to_excel", "save"),
        *("argmin", "get_feature_names", "get_feature_names_out", "item", "to_json", "to_pickle", "nlargest"),
    }
)
SHIFTS = frozenset({"shift", "diff", "pct_change"})
READERS = frozenset(
    {
        *("read_csv", "read_table", "read_excel", "read_json", "read_pickle", "read_parquet", "read_hdf", "read_sql"),
        *("read_feather", "read_fwf", "read_sql_query", "read_sql_table", "read_html", "read_stata", "read_sas"),
    }
)
BELOW = frozenset({"concatenate", "vstack", "row_stack", "r_", "append"})
BESIDE = frozenset({"hstack", "column_stack", "c_", "stack", "dstack", "merge", "join"})
METRIC_ROOTS = ("sklearn.metrics", "keras.metrics", "keras.losses", "scikitplot", "mlxtend.evaluate")
ROW_KEEPING_ROOTS = frozenset(
    {"numpy", "pandas", "scipy", "keras", "tensorflow", "torch", "sklearn", "cv2", "skimage", "builtins", "polars"}
)
"""Libraries whose functions keep the rows of the table they are given."""
PREDICTIONS = frozenset(
    {"predict", "predict_proba", "predict_classes", "predict_generator", "decision_function", "predict_log_proba"}
)
SCORES = frozenset({"evaluate", "evaluate_generator", "score", "test_on_batch"})

SEEDING = frozenset(
    {
        "seed",
        "set_seed",
        "set_state",
        "setstate",
        "set_random_seed",
        "default_rng",
        "RandomState",
        "Random",
        "manual_seed",
    }
)
PROGRAM_WIDE = frozenset({"set_floatx", "set_dtype_policy", "set_global_policy", "set_policy", "preprocess_input"})
"""Functions of Keras that set something for the whole program, or prepare images."""
INTEGER_LABELS = frozenset({"mnist", "fashion_mnist", "cifar10", "cifar100", "reuters", "imdb"})
"""Data sets of Keras whose labels are class numbers."""
CLASS_DATA = frozenset(
    {
        *("load_iris", "load_digits", "load_wine", "load_breast_cancer", "fetch_covtype", "fetch_20newsgroups"),
        *("make_classification", "make_blobs", "make_moons", "make_circles", "make_gaussian_quantiles"),
    }
)
"""Data sets of scikit-learn whose labels are class numbers."""
NUMBER_DATA = frozenset(
    {
        *("load_diabetes", "load_boston", "fetch_california_housing", "make_regression", "make_sparse_uncorrelated"),
        *("make_friedman1", "make_friedman2", "make_friedman3"),
    }
)
"""Data sets of scikit-learn whose targets are numbers on a scale of their own, not between 0 and 1."""
NUMBER_TARGETS = frozenset({"boston_housing", "california_housing"})
"""The same of Keras."""
SELECTING_CALLBACKS = frozenset({"EarlyStopping", "ModelCheckpoint"})
NETWORKS = frozenset({"Sequential", "Model", "Functional"})
KERAS_CLASSES = frozenset(
    {
        *("Dense", "Activation", "Softmax", "Dropout", "Flatten", "Embedding", "LSTM", "GRU", "SimpleRNN", "ReLU"),
        *("Conv1D", "Conv2D", "Conv3D", "MaxPooling1D", "MaxPooling2D", "GlobalAveragePooling2D", "Input", "Reshape"),
        *("BatchNormalization", "LeakyReLU", "Bidirectional", "TimeDistributed", "InputLayer", "Add", "Concatenate"),
        *("Sequential", "Model", "Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Nadam", "EarlyStopping"),
        *("ModelCheckpoint", "ImageDataGenerator", "Conv2DTranspose", "SeparableConv2D", "GlobalMaxPooling2D"),
    }
)
"""Classes that a star import of Keras brings."""
WITH_WEIGHTS = frozenset(
    {
        *("Dense", "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "SeparableConv2D", "DepthwiseConv2D", "Embedding"),
        *("LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed", "SeparableConv1D", "EinsumDense"),
        *("BatchNormalization", "LayerNormalization", "MultiHeadAttention", "PReLU", "ConvLSTM2D"),
    }
)
