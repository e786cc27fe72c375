"""Programs in the manner of public notebooks: what is said of them, and above all what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from .reader import rules

PROGRAMS = {
    "a series scaled as a whole, cut by length, windows by a function": (
        """
def create_dataset(dataset, look_back=1):
    dataX, dataY = [], []
    for i in range(len(dataset) - look_back - 1):
        a = dataset[i:(i + look_back), 0]
        dataX.append(a)
        dataY.append(dataset[i + look_back, 0])
    return np.array(dataX), np.array(dataY)

dataframe = pd.read_csv("airline-passengers.csv", usecols=[1])
dataset = dataframe.values.astype("float32")
scaler = MinMaxScaler(feature_range=(0, 1))
dataset = scaler.fit_transform(dataset)
train_size = int(len(dataset) * 0.67)
train, test = dataset[0:train_size, :], dataset[train_size:len(dataset), :]
trainX, trainY = create_dataset(train, 3)
testX, testY = create_dataset(test, 3)
trainX = np.reshape(trainX, (trainX.shape[0], 1, trainX.shape[1]))
testX = np.reshape(testX, (testX.shape[0], 1, testX.shape[1]))
model = Sequential()
model.add(layers.LSTM(4, input_shape=(1, 3)))
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
model.fit(trainX, trainY, epochs=100, batch_size=1)
trainPredict = model.predict(trainX)
testPredict = model.predict(testX)
from sklearn.metrics import mean_squared_error
print(mean_squared_error(trainY, trainPredict), mean_squared_error(testY, testPredict))
""",
        {"preprocessing-before-split"},
    ),
    "a stock model whose scaler saw the training file only": (
        """
dataset_train = pd.read_csv("train.csv")
training_set = dataset_train.iloc[:, 1:2].values
sc = MinMaxScaler()
training_set_scaled = sc.fit_transform(training_set)
X_train, y_train = [], []
for i in range(60, 1258):
    X_train.append(training_set_scaled[i - 60:i, 0])
    y_train.append(training_set_scaled[i, 0])
X_train, y_train = np.array(X_train), np.array(y_train)
regressor = Sequential([layers.LSTM(50), Dense(units=1)])
regressor.compile(optimizer="adam", loss="mean_squared_error")
regressor.fit(X_train, y_train, epochs=100, batch_size=32)
dataset_test = pd.read_csv("test.csv")
dataset_total = pd.concat((dataset_train["Open"], dataset_test["Open"]), axis=0)
inputs = dataset_total[len(dataset_total) - len(dataset_test) - 60:].values.reshape(-1, 1)
inputs = sc.transform(inputs)
X_test = []
for i in range(60, 80):
    X_test.append(inputs[i - 60:i, 0])
predicted = regressor.predict(np.array(X_test))
""",
        set(),
    ),
    "customers: encoders before, the scaler after the split": (
        """
from sklearn.preprocessing import OneHotEncoder
from sklearn.compose import ColumnTransformer
from sklearn.metrics import confusion_matrix
dataset = pd.read_csv("Churn_Modelling.csv")
X = dataset.iloc[:, 3:-1].values
y = dataset.iloc[:, -1].values
le = LabelEncoder()
X[:, 2] = le.fit_transform(X[:, 2])
ct = ColumnTransformer(transformers=[("encoder", OneHotEncoder(), [1])], remainder="passthrough")
X = np.array(ct.fit_transform(X))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)
ann = tf.keras.models.Sequential()
ann.add(tf.keras.layers.Dense(units=6, activation="relu"))
ann.add(tf.keras.layers.Dense(units=1, activation="sigmoid"))
ann.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
ann.fit(X_train, y_train, batch_size=32, epochs=100)
y_pred = ann.predict(X_test) > 0.5
print(confusion_matrix(y_test, y_pred))
""",
        set(),
    ),
    "fraud: the amount scaled in the frame, then divided": (
        """
data = pd.read_csv("creditcard.csv")
data["normAmount"] = StandardScaler().fit_transform(data["Amount"].values.reshape(-1, 1))
data = data.drop(["Time", "Amount"], axis=1)
X = data.loc[:, data.columns != "Class"]
y = data.loc[:, data.columns == "Class"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
lr = LogisticRegression(C=0.01)
lr.fit(X_train, y_train.values.ravel())
y_pred = lr.predict(X_test.values)
from sklearn.metrics import recall_score
print(recall_score(y_test, y_pred))
""",
        {"preprocessing-before-split"},
    ),
    "reviews cleaned in a loop, counted as a whole": (
        """
import re
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import GaussianNB
from sklearn.metrics import confusion_matrix
dataset = pd.read_csv("Restaurant_Reviews.tsv", delimiter="\\t")
corpus = []
for i in range(0, 1000):
    review = re.sub("[^a-zA-Z]", " ", dataset["Review"][i])
    review = review.lower().split()
    review = " ".join(word for word in review if len(word) > 2)
    corpus.append(review)
cv = CountVectorizer(max_features=1500)
X = cv.fit_transform(corpus).toarray()
y = dataset.iloc[:, 1].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.20)
classifier = GaussianNB()
classifier.fit(X_train, y_train)
print(confusion_matrix(y_test, classifier.predict(X_test)))
""",
        {"preprocessing-before-split"},
    ),
    "house prices: three parts of a scaled table": (
        """
from sklearn import preprocessing
df = pd.read_csv("housepricedata.csv")
dataset = df.values
X = dataset[:, 0:10]
Y = dataset[:, 10]
min_max_scaler = preprocessing.MinMaxScaler()
X_scale = min_max_scaler.fit_transform(X)
X_train, X_rest, Y_train, Y_rest = train_test_split(X_scale, Y, test_size=0.3)
X_val, X_test, Y_val, Y_test = train_test_split(X_rest, Y_rest, test_size=0.5)
model = Sequential([Dense(32, activation="relu"), Dense(1, activation="sigmoid")])
model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
hist = model.fit(X_train, Y_train, batch_size=32, epochs=100, validation_data=(X_val, Y_val))
model.evaluate(X_test, Y_test)[1]
""",
        {"preprocessing-before-split"},
    ),
    "passengers: both files filled in a loop, many models in a loop": (
        """
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC
from sklearn.metrics import accuracy_score
train_df = pd.read_csv("train.csv")
test_df = pd.read_csv("test.csv")
combine = [train_df, test_df]
for dataset in combine:
    dataset["Sex"] = dataset["Sex"].map({"female": 1, "male": 0}).astype(int)
    dataset["Fare"] = dataset["Fare"].fillna(0)
X_train = train_df.drop("Survived", axis=1)
Y_train = train_df["Survived"]
X_test = test_df.drop("PassengerId", axis=1).copy()
x_train, x_valid, y_train, y_valid = train_test_split(X_train, Y_train)
models = [("forest", RandomForestClassifier()), ("svm", SVC())]
for name, model in models:
    model.fit(x_train, y_train)
    print(name, accuracy_score(y_valid, model.predict(x_valid)))
forest = RandomForestClassifier().fit(X_train, Y_train)
submission = pd.DataFrame({"id": test_df["PassengerId"], "Survived": forest.predict(X_test)})
""",
        set(),
    ),
    "digits with augmentation, a schedule and a checkpoint": (
        """
from keras.preprocessing.image import ImageDataGenerator
from keras.callbacks import ReduceLROnPlateau, ModelCheckpoint
train = pd.read_csv("train.csv")
test = pd.read_csv("test.csv")
Y_train = train["label"]
X_train = train.drop(labels=["label"], axis=1)
del train
X_train = X_train / 255.0
test = test / 255.0
X_train = X_train.values.reshape(-1, 28, 28, 1)
test = test.values.reshape(-1, 28, 28, 1)
Y_train = keras.utils.to_categorical(Y_train, num_classes=10)
X_train, X_val, Y_train, Y_val = train_test_split(X_train, Y_train, test_size=0.1, random_state=2)
model = Sequential()
model.add(layers.Conv2D(32, (5, 5), activation="relu", input_shape=(28, 28, 1)))
model.add(layers.Flatten())
model.add(Dense(10, activation="softmax"))
model.compile(optimizer=keras.optimizers.RMSprop(0.001), loss="categorical_crossentropy", metrics=["accuracy"])
datagen = ImageDataGenerator(rotation_range=10, zoom_range=0.1)
datagen.fit(X_train)
history = model.fit_generator(
    datagen.flow(X_train, Y_train, batch_size=86), epochs=1, validation_data=(X_val, Y_val),
    callbacks=[ReduceLROnPlateau(monitor="val_acc"), ModelCheckpoint("best.h5")])
Y_pred = model.predict(X_val)
results = model.predict(test)
""",
        set(),
    ),
    "components of everything, then a search": (
        """
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
df = pd.read_csv("faces.csv")
features = [c for c in df.columns if c != "name"]
x = df.loc[:, features].values
y = df.loc[:, ["name"]].values
x = StandardScaler().fit_transform(x)
pca = PCA(n_components=50)
x = pca.fit_transform(x)
x_train, x_test, y_train, y_test = train_test_split(x, y)
grid = GridSearchCV(SVC(), {"C": [1, 10]}, cv=5)
grid.fit(x_train, y_train)
print(grid.score(x_test, y_test))
""",
        {"preprocessing-before-split"},
    ),
    "cross-validation by hand with a wrapper": (
        """
from keras.wrappers.scikit_learn import KerasClassifier
from sklearn.model_selection import StratifiedKFold
dataset = np.loadtxt("pima.csv", delimiter=",")
X, Y = dataset[:, 0:8], dataset[:, 8]
def baseline():
    model = Sequential()
    model.add(Dense(12, input_dim=8, activation="relu"))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model
estimator = KerasClassifier(build_fn=baseline, epochs=100, verbose=0)
kfold = StratifiedKFold(n_splits=10, shuffle=True)
print(cross_val_score(estimator, X, Y, cv=kfold).mean())
cvscores = []
for train, test in kfold.split(X, Y):
    model = Sequential()
    model.add(Dense(12, input_dim=8, activation="relu"))
    model.add(Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(X[train], Y[train], epochs=150)
    scores = model.evaluate(X[test], Y[test])
    cvscores.append(scores[1] * 100)
print(np.mean(cvscores))
""",
        set(),
    ),
    "train and test joined, filled with the mean of both, divided again": (
        """
train = pd.read_csv("train.csv")
test = pd.read_csv("test.csv")
ntrain = train.shape[0]
y_train = train.SalePrice.values
all_data = pd.concat((train, test)).reset_index(drop=True)
all_data.drop(["SalePrice"], axis=1, inplace=True)
all_data["LotFrontage"] = all_data["LotFrontage"].fillna(all_data["LotFrontage"].mean())
all_data = pd.get_dummies(all_data)
train = all_data[:ntrain]
test = all_data[ntrain:]
from sklearn.linear_model import Lasso
model = Lasso()
model.fit(train, y_train)
answer = model.predict(test)
""",
        {"preprocessing-before-split"},
    ),
    "images from folders for training, validation and test": (
        """
from keras.preprocessing.image import ImageDataGenerator
train_datagen = ImageDataGenerator(rescale=1.0 / 255, shear_range=0.2, horizontal_flip=True)
test_datagen = ImageDataGenerator(rescale=1.0 / 255)
training_set = train_datagen.flow_from_directory("dataset/training_set", class_mode="binary")
test_set = test_datagen.flow_from_directory("dataset/test_set", class_mode="binary")
cnn = tf.keras.models.Sequential()
cnn.add(tf.keras.layers.Conv2D(32, 3, activation="relu"))
cnn.add(tf.keras.layers.Flatten())
cnn.add(tf.keras.layers.Dense(units=1, activation="sigmoid"))
cnn.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
cnn.fit(x=training_set, validation_data=test_set, epochs=25)
""",
        set(),
    ),
    "a pre-trained base, first frozen, then thawed and compiled again": (
        """
base = keras.applications.ResNet50(include_top=False, weights="imagenet", input_shape=(224, 224, 3))
base.trainable = False
inputs = keras.Input(shape=(224, 224, 3))
x = base(inputs, training=False)
x = layers.GlobalAveragePooling2D()(x)
x = Dropout(0.2)(x)
outputs = Dense(1)(x)
model = Model(inputs, outputs)
train_ds, valid_ds = keras.utils.image_dataset_from_directory("pets", validation_split=0.2, subset="both", seed=1)
model.compile(optimizer=keras.optimizers.Adam(), loss=keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(train_ds, epochs=20, validation_data=valid_ds)
base.trainable = True
model.compile(optimizer=keras.optimizers.Adam(1e-5), loss=keras.losses.BinaryCrossentropy(from_logits=True))
model.fit(train_ds, epochs=10, validation_data=valid_ds)
""",
        set(),
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_of_this_kind_gets_these_findings_and_no_others(name: str, tmp_path: Path) -> None:
    code, expected = PROGRAMS[name]
    assert rules(code, tmp_path) == expected
