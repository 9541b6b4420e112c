/* The hot path of messages: `frame` encodes one message, `cut` decodes the messages at the front of what came.

   What is unusual is nobody's business here: None says «do it yourself», and the Python in codec.py, which is the
   definition, does. Unusual is whatever is not exactly one of None, bool, int, float, str, bytes, list and dict (a tuple
   may be sent), what nests deeper than MAX_DEPTH, has many containers, keys that are no scalars, extensions, is large, or
   costs much. So nothing here raises, and nothing here runs Python code, in the middle of which a message could change. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

enum {
    HEADER_SIZE = 4,      /* the length of the payload, big end first */
    MAX_DEPTH = 32,       /* lists and dicts within each other */
    IN_KEY = 33,          /* the depth of a key, where no list or dict can be */
    MAX_CONTAINERS = 32,  /* lists and dicts of a message that came: what has more costs more, and is accounted for */
    CAREFUL_FROM = 4096,  /* bytes of a payload from which on the Python looks at it */
    FEW_BYTES = 1024,     /* bytes of which it need not be asked what they cost */
    FREE = 256,           /* what may be decoded without asking: see budget.py, and cost_of in codec.py */
    KEYS = 256,           /* keys of dicts that are remembered, */
    KEY_SIZE = 24,        /* of so many bytes at most */
};

typedef union {
    uint64_t bits;
    double number;
    uint32_t single_bits;
    float single;
} Float;

/* Read a number, big end first, whatever the machine. */
static uint64_t load(const unsigned char *at, int size)
{
    uint64_t value = 0;
    while (size--)
        value = value << 8 | *at++;
    return value;
}

typedef struct {
    unsigned char *at, *end;
} Writer;

static int put(Writer *writer, int first, uint64_t value, int size)
{
    if (writer->end - writer->at <= size)
        return 0;
    *writer->at++ = (unsigned char)first;
    while (size--)
        *writer->at++ = (unsigned char)(value >> 8 * size);
    return 1;
}

/* Put how much follows: in the first byte if it is less than `few`, else behind it, in one byte if it has that, or two. */
static int put_size(Writer *writer, Py_ssize_t size, int few, int first, int in_one, int in_two)
{
    if (size < few)
        return put(writer, first | (int)size, 0, 0);
    int is_one = in_one && size <= UINT8_MAX;
    return size < CAREFUL_FROM && put(writer, is_one ? in_one : in_two, (uint64_t)size, is_one ? 1 : 2);
}

static int put_bytes(Writer *writer, const char *data, Py_ssize_t size)
{
    if (writer->end - writer->at < size)
        return 0;
    memcpy(writer->at, data, (size_t)size);
    writer->at += size;
    return 1;
}

static int put_int(Writer *writer, PyObject *value)
{
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (!overflow && number >= -32 && number < 128)
        return put(writer, (int)number, 0, 0);
    uint64_t bits = overflow ? PyLong_AsUnsignedLongLong(value) : (uint64_t)number;
    if (overflow && PyErr_Occurred())
        return 0;
    int is_negative = !overflow && number < 0;
    uint64_t span = is_negative ? ~bits << 1 : bits; /* the sign takes a bit, too */
    int power = span <= UINT8_MAX ? 0 : span <= UINT16_MAX ? 1 : span <= UINT32_MAX ? 2 : 3;
    return put(writer, (is_negative ? 0xd0 : 0xcc) + power, bits, 1 << power);
}

static int put_value(Writer *writer, PyObject *value, int depth)
{
    PyObject *key, *item;
    Py_ssize_t size, position = 0;
    if (PyUnicode_CheckExact(value)) {
        const char *text = PyUnicode_AsUTF8AndSize(value, &size);
        return text != NULL && put_size(writer, size, 32, 0xa0, 0xd9, 0xda) && put_bytes(writer, text, size);
    }
    if (PyLong_CheckExact(value))
        return put_int(writer, value);
    if (PyFloat_CheckExact(value))
        return put(writer, 0xcb, ((Float){.number = PyFloat_AsDouble(value)}).bits, 8);
    if (value == Py_None || value == Py_False || value == Py_True)
        return put(writer, value == Py_None ? 0xc0 : value == Py_False ? 0xc2 : 0xc3, 0, 0);
    if (PyBytes_CheckExact(value))
        return put_size(writer, PyBytes_Size(value), 0, 0, 0xc4, 0xc5)
               && put_bytes(writer, PyBytes_AsString(value), PyBytes_Size(value));
    int is_dict = PyDict_CheckExact(value), is_list = PyList_CheckExact(value);
    if (depth >= MAX_DEPTH || !(is_dict || is_list || PyTuple_CheckExact(value)))
        return 0;
    size = is_dict ? PyDict_Size(value) : is_list ? PyList_Size(value) : PyTuple_Size(value);
    int is_put = put_size(writer, size, 16, is_dict ? 0x80 : 0x90, 0, is_dict ? 0xde : 0xdc);
    while (is_dict && is_put && PyDict_Next(value, &position, &key, &item))
        is_put = put_value(writer, key, IN_KEY) && put_value(writer, item, depth + 1);
    for (; !is_dict && is_put && position < size; position++)
        is_put = put_value(writer, is_list ? PyList_GetItem(value, position) : PyTuple_GetItem(value, position), depth + 1);
    return is_put;
}

static PyObject *frame(PyObject *Py_UNUSED(module), PyObject *message)
{
    unsigned char data[HEADER_SIZE + CAREFUL_FROM];
    Writer writer = {data + HEADER_SIZE, data + sizeof data};
    if (!put_value(&writer, message, 0)) {
        PyErr_Clear();
        return Py_NewRef(Py_None);
    }
    put(&(Writer){data, writer.at}, 0, (uint64_t)(writer.at - data) - HEADER_SIZE, HEADER_SIZE - 1);
    return PyBytes_FromStringAndSize((char *)data, writer.at - data);
}

typedef struct {
    const unsigned char *at, *end;
    int containers;
    PyObject **keys; /* that came last, by their hash: the messages of a game have the same few; NULL: not executed yet */
} Reader;

/* Return where so many bytes are, and go on behind them; NULL: they did not come. */
static const unsigned char *take(Reader *reader, uint64_t size)
{
    const unsigned char *data = reader->at;
    if ((uint64_t)(reader->end - data) < size)
        return NULL;
    reader->at += size;
    return data;
}

/* Return the same text for a key that is remembered. It is not interned: 3.12.0 to 3.12.6 would keep a stranger's for ever. */
static PyObject *make_key(Reader *reader, const char *data, Py_ssize_t size)
{
    uint32_t hash = (uint32_t)size;
    for (Py_ssize_t i = 0; i < size && size <= KEY_SIZE; i++)
        hash = hash * 31 + (unsigned char)data[i];
    PyObject **known = size > KEY_SIZE || reader->keys == NULL ? NULL : &reader->keys[(hash ^ hash >> 8) % KEYS];
    Py_ssize_t its_size = -1;
    const char *its = known == NULL || *known == NULL ? NULL : PyUnicode_AsUTF8AndSize(*known, &its_size);
    if (its_size == size && memcmp(its, data, (size_t)size) == 0)
        return Py_NewRef(*known);
    PyObject *text = PyUnicode_DecodeUTF8(data, size, NULL);
    if (text == NULL)
        return NULL;
    if (known != NULL) {
        Py_XDECREF(*known);
        *known = Py_NewRef(text);
    }
    return text;
}

static PyObject *take_value(Reader *reader, int depth);

/* Of a list: so many values; of a dict: twice as many. Each takes a byte at least. */
static PyObject *take_values(Reader *reader, uint64_t size, int depth, int is_dict)
{
    if (depth >= MAX_DEPTH || ++reader->containers > MAX_CONTAINERS
        || (uint64_t)(reader->end - reader->at) < (is_dict ? 2 * size : size))
        return NULL;
    PyObject *values = is_dict ? PyDict_New() : PyList_New((Py_ssize_t)size);
    for (Py_ssize_t i = 0; values != NULL && i < (Py_ssize_t)size; i++) {
        PyObject *key = is_dict ? take_value(reader, IN_KEY) : NULL;
        PyObject *value = is_dict && key == NULL ? NULL : take_value(reader, depth + 1);
        if (value == NULL || (is_dict ? PyDict_SetItem(values, key, value) : PyList_SetItem(values, i, Py_NewRef(value))) < 0)
            Py_CLEAR(values);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return values;
}

/* The bytes of the number or the size behind the first bytes 0xc0 to 0xdf. -1: nothing plain, or a size of four bytes. */
static const signed char BEHIND[] = {
    0, -1, 0, 0, 1,  2,  -1, -1, -1, -1, 4, 8,  1, 2,  4, 8,
    1, 2,  4, 8, -1, -1, -1, -1, -1, 1,  2, -1, 2, -1, 2, -1,
};

static PyObject *take_value(Reader *reader, int depth)
{
    if (reader->at == reader->end)
        return NULL;
    unsigned char first = *reader->at++;
    if (first < 0x80 || first >= 0xe0)
        return PyLong_FromLong((signed char)first);
    if (first < 0xa0)
        return take_values(reader, first & 0x0f, depth, first < 0x90);
    uint64_t number = first & 0x1f;
    if (first >= 0xc0) {
        int size = BEHIND[first - 0xc0];
        const unsigned char *data = size < 0 ? NULL : take(reader, (uint64_t)size);
        if (data == NULL)
            return NULL;
        number = load(data, size);
        switch (first) {
        case 0xc0: return Py_NewRef(Py_None); /* Py_RETURN_NONE of 3.12 counts no reference; 3.11, which may run it, does */
        case 0xc2: return Py_NewRef(Py_False);
        case 0xc3: return Py_NewRef(Py_True);
        case 0xca: return PyFloat_FromDouble(((Float){.single_bits = (uint32_t)number}).single);
        case 0xcb: return PyFloat_FromDouble(((Float){.bits = number}).number);
        case 0xcc: case 0xcd: case 0xce: case 0xcf: return PyLong_FromUnsignedLongLong(number);
        case 0xd0: case 0xd1: case 0xd2: case 0xd3: /* its own sign, in as many bits as a number has here */
            return PyLong_FromLongLong((int64_t)(number << (64 - 8 * size)) >> (64 - 8 * size));
        case 0xdc: case 0xde: return take_values(reader, number, depth, first == 0xde);
        }
    }
    const char *text = (const char *)take(reader, number);
    return text == NULL                     ? NULL
           : first == 0xc4 || first == 0xc5 ? PyBytes_FromStringAndSize(text, (Py_ssize_t)number)
           : depth == IN_KEY                ? make_key(reader, text, (Py_ssize_t)number)
                                            : PyUnicode_DecodeUTF8(text, (Py_ssize_t)number, NULL);
}

static PyObject *cut(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    Py_buffer data;
    if (count != 5 || !PyType_Check(arguments[3]) || !PyType_IsSubtype((PyTypeObject *)arguments[3], &PyTuple_Type))
        return PyErr_Format(PyExc_TypeError, "cut() takes bytes, their size, a limit, a type of event, and a sender");
    Py_ssize_t came = PyLong_AsSsize_t(arguments[1]);
    unsigned long long limit = PyLong_AsUnsignedLongLong(arguments[2]), cost = 0;
    if (PyErr_Occurred() || PyObject_GetBuffer(arguments[0], &data, PyBUF_SIMPLE) < 0)
        return NULL;
    const unsigned char *begin = data.buf, *at = begin, *end = begin + (came < 0 || came > data.len ? data.len : came);
    PyObject *events = PyList_New(0), *fields = PyTuple_New(1), *taken = NULL;
    newfunc make = (newfunc)PyType_GetSlot(&PyTuple_Type, Py_tp_new); /* an event is a named tuple */
    while (events != NULL && fields != NULL && end - at > HEADER_SIZE) {
        uint64_t size = load(at, HEADER_SIZE);
        int is_whole = size <= (uint64_t)(end - at) - HEADER_SIZE;
        if (size == 0 || size > limit || (is_whole && size > CAREFUL_FROM))
            goto unusual;
        if (!is_whole)
            break;
        Reader reader = {at + HEADER_SIZE, at + HEADER_SIZE + size, 0, PyModule_GetState(module)};
        PyObject *message = take_value(&reader, 0);
        PyObject *pair = message == NULL ? NULL : PyTuple_Pack(2, arguments[4], message);
        int is_set = pair != NULL && PyTuple_SetItem(fields, 0, pair) == 0; /* its reference, too */
        PyObject *made = is_set ? make((PyTypeObject *)arguments[3], fields, NULL) : NULL;
        int is_message = made != NULL && reader.at == reader.end && PyList_Append(events, made) == 0;
        Py_XDECREF(message);
        Py_XDECREF(made);
        cost += 1 + (size >> (at[HEADER_SIZE] == 0xc4 || at[HEADER_SIZE] == 0xc5 ? 10 : 3)) + (uint64_t)reader.containers;
        if (!is_message || (end - begin > FEW_BYTES && cost > FREE))
            goto unusual;
        at = reader.end;
    }
    /* A length without anything behind it may be a wrong one. */
    if (events != NULL && fields != NULL && end - at != HEADER_SIZE)
        taken = PyLong_FromSsize_t(at - begin);
unusual:;
    PyObject *result = taken == NULL ? NULL : PyTuple_Pack(2, events, taken);
    Py_XDECREF(taken);
    Py_XDECREF(fields);
    Py_XDECREF(events);
    PyBuffer_Release(&data);
    if (result != NULL)
        return result;
    PyErr_Clear();
    return Py_NewRef(Py_None);
}

static void forget_keys(void *module)
{
    PyObject **keys = PyModule_GetState(module);
    for (int i = 0; keys != NULL && i < KEYS; i++)
        Py_CLEAR(keys[i]);
}

static PyMethodDef functions[] = {
    {"frame", frame, METH_O, "frame(message, /)\n--\n\nReturn a message as a frame, or None: encode it yourself."},
    {"cut", (PyCFunction)(void (*)(void))cut, METH_FASTCALL,
     "cut(data, size, limit, event, sender, /)\n--\n\n"
     "Return the messages of the frames at the front as events, and the bytes these took, or None: do it yourself."},
    {NULL, NULL, 0, NULL},
};

int add_socket_calls(PyObject *module), add_beat(PyObject *module); /* _sockets.c, _beats.c */
static PyModuleDef_Slot slots[] = {{Py_mod_exec, add_socket_calls}, {Py_mod_exec, add_beat}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "netcode._speed", "The hot path of messages, in C; netcode.wire.codec is what it means.",
    sizeof(PyObject *[KEYS]), functions, slots, NULL, NULL, forget_keys,
};

PyMODINIT_FUNC PyInit__speed(void)
{
    return PyModuleDef_Init(&definition);
}
