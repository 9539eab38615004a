import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * The Java half of the wire check: works Kafka's own generated message classes by reflection, guided by
 * the schemas that they carry. Lines on both sides are "name version hex dump".
 *
 *   generate SEED ROUNDS SIZE   reads "name first last" lines; prints random messages
 *   check                       reads lines; decodes, dumps and encodes again; complains about differences
 *
 * The dump names every value, so that two fields of the same type can not change places unseen.
 */
public class WireCheck {
    private static final String[] PACKAGES = {
        "org.apache.kafka.common.message.", "org.apache.kafka.common.metadata.",
        "org.apache.kafka.coordinator.group.generated.",
        "org.apache.kafka.coordinator.transaction.generated.",
    };

    private final Random random;
    private final int size;
    private final Map<Class<?>, Map<String, Method>> methods = new HashMap<>();

    private WireCheck(long seed, int size) {
        this.random = new Random(seed);
        this.size = size;
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        int failed;
        if (args[0].equals("generate")) {
            WireCheck check = new WireCheck(Long.parseLong(args[1]), Integer.parseInt(args[3]));
            failed = check.generate(in, out, Integer.parseInt(args[2]));
        } else {
            failed = new WireCheck(0, 0).check(in);
        }
        out.flush();
        System.exit(failed == 0 ? 0 : 1);
    }

    private static String plain(String name) {
        return name.replace("_", "").toLowerCase();
    }

    private static Class<?> find(String name) {
        StringBuilder camel = new StringBuilder();
        for (String part : name.split("_")) {
            camel.append(Character.toUpperCase(part.charAt(0))).append(part.substring(1));
        }
        for (String p : PACKAGES) {
            for (String suffix : new String[] {"Data", ""}) {
                try {
                    return Class.forName(p + camel + suffix);
                } catch (ClassNotFoundException e) {
                    continue;
                }
            }
        }
        throw new IllegalStateException("there is no Java class for " + name);
    }

    private static Message fresh(Class<?> c) throws Exception {
        return (Message) c.getDeclaredConstructor().newInstance();
    }

    private static Schema schema(Class<?> c, int version) throws Exception {
        return ((Schema[]) c.getField("SCHEMAS").get(null))[version];
    }

    private int generate(BufferedReader in, PrintStream out, int rounds) throws Exception {
        int failed = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] word = line.split(" ");
            Class<?> c = find(word[0]);
            int first = Integer.parseInt(word[1]);
            int last = Integer.parseInt(word[2]);
            Message probe = fresh(c);
            if (probe.lowestSupportedVersion() != first || probe.highestSupportedVersion() != last) {
                System.err.printf("%s: versions %d-%d here, %d-%d there%n", word[0], first, last,
                                  probe.lowestSupportedVersion(), probe.highestSupportedVersion());
                failed++;
                continue;
            }
            for (int v = first; v <= last; v++) {
                for (int i = 0; i < rounds; i++) {
                    Message m = (Message) fill(c, schema(c, v));
                    out.println(word[0] + " " + v + " " + line(encode(m, v)) + " " + dump(m, schema(c, v)));
                }
            }
        }
        return failed;
    }

    private int check(BufferedReader in) throws Exception {
        int failed = 0;
        int seen = 0;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] word = line.split(" ");
            int v = Integer.parseInt(word[1]);
            Class<?> c = find(word[0]);
            byte[] bytes = unhex(word[2]);
            String problem = null;
            seen++;
            try {
                Message m = fresh(c);
                ByteBufferAccessor reader = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
                m.read(reader, (short) v);
                String dump = dump(m, schema(c, v));
                if (reader.remaining() != 0) {
                    problem = reader.remaining() + " bytes left over";
                } else if (!line(encode(m, v)).equals(word[2])) {
                    problem = "encodes to " + line(encode(m, v));
                } else if (!dump.equals(word[3])) {
                    problem = "means " + dump;
                }
            } catch (RuntimeException e) {
                problem = e.toString();
            }
            if (problem != null) {
                System.err.println(line + "\n    Java: " + problem);
                failed++;
            }
        }
        System.err.println("Java: " + seen + " messages, " + failed + " differ");
        return seen == 0 ? 1 : failed;
    }

    private static byte[] encode(Message m, int version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(m.size(cache, (short) version));
        m.write(new ByteBufferAccessor(buffer), cache, (short) version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException("size() and write() disagree");
        }
        return buffer.array();
    }

    /** All fields of a schema in wire order, the tagged ones last by tag. */
    private static Map<String, org.apache.kafka.common.protocol.types.Type> fields(Schema schema) {
        Map<String, org.apache.kafka.common.protocol.types.Type> all = new LinkedHashMap<>();
        for (BoundField f : schema.fields()) {
            if (f.def.type instanceof TaggedFields) {
                for (Field t : new TreeMap<>(((TaggedFields) f.def.type).fields()).values()) {
                    all.put(plain(t.name), t.type);
                }
            } else {
                all.put(plain(f.def.name), f.def.type);
            }
        }
        return all;
    }

    private Map<String, Method> methods(Class<?> c) {
        return methods.computeIfAbsent(c, k -> {
            Map<String, Method> all = new HashMap<>();
            for (Method m : k.getDeclaredMethods()) {
                String name = plain(m.getName());
                if (name.startsWith("set") && m.getParameterCount() == 1) {
                    all.put(name, m);
                } else if (m.getParameterCount() == 0) {
                    all.putIfAbsent(name, m);
                }
            }
            return all;
        });
    }

    private Object fill(Class<?> c, Schema schema) throws Exception {
        Object o = c.getDeclaredConstructor().newInstance();
        for (Map.Entry<String, org.apache.kafka.common.protocol.types.Type> f : fields(schema).entrySet()) {
            Method set = methods(c).get("set" + f.getKey());
            // Java's default for records is null even where null is not allowed.
            boolean keep = set.getParameterTypes()[0] == BaseRecords.class && !f.getValue().isNullable();
            if (random.nextInt(6) == 0 && !keep) {
                continue; // the default
            }
            set.invoke(o, value(f.getValue(), set.getGenericParameterTypes()[0]));
        }
        return o;
    }

    private Object value(org.apache.kafka.common.protocol.types.Type type, Type java) throws Exception {
        if (type.isNullable() && random.nextInt(4) == 0) {
            return null;
        }
        if (type.isArray()) {
            return array(type.arrayElementType().get(), java);
        }
        if (type instanceof Schema) {
            return fill((Class<?>) java, (Schema) type);
        }
        if (type == org.apache.kafka.common.protocol.types.Type.UINT16) {
            return random.nextInt(1 << 16);
        } else if (type == org.apache.kafka.common.protocol.types.Type.UNSIGNED_INT32) {
            return random.nextInt() & 0xffffffffL;
        }
        return primitive((Class<?>) java);
    }

    @SuppressWarnings("unchecked")
    private Object array(org.apache.kafka.common.protocol.types.Type element, Type java) throws Exception {
        Class<?> raw = java instanceof ParameterizedType
            ? (Class<?>) ((ParameterizedType) java).getRawType() : (Class<?>) java;
        Collection<Object> all = raw == List.class
            ? new ArrayList<>() : (Collection<Object>) raw.getDeclaredConstructor().newInstance();
        Type holder = java instanceof ParameterizedType ? java : raw.getGenericSuperclass();
        Type item = ((ParameterizedType) holder).getActualTypeArguments()[0];
        for (int n = random.nextInt(size + 1); n > 0; n--) {
            all.add(value(element, item));
        }
        return all;
    }

    private byte[] bytes() {
        byte[] b = new byte[random.nextInt(40) == 0 ? 200 : random.nextInt(3 * size)];
        random.nextBytes(b);
        return b;
    }

    private Object primitive(Class<?> c) {
        if (c == boolean.class || c == Boolean.class) {
            return random.nextBoolean();
        } else if (c == byte.class || c == Byte.class) {
            return (byte) random.nextInt();
        } else if (c == short.class || c == Short.class) {
            return (short) random.nextInt();
        } else if (c == int.class || c == Integer.class) {
            return random.nextInt();
        } else if (c == long.class || c == Long.class) {
            return random.nextLong();
        } else if (c == double.class || c == Double.class) {
            return random.nextGaussian();
        } else if (c == Uuid.class) {
            return new Uuid(random.nextLong(), random.nextLong());
        } else if (c == byte[].class) {
            return bytes();
        } else if (c == ByteBuffer.class) {
            return ByteBuffer.wrap(bytes());
        } else if (c == BaseRecords.class) {
            return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
        } else if (c == String.class) {
            StringBuilder s = new StringBuilder();
            for (int n = random.nextInt(40) == 0 ? 130 : random.nextInt(2 * size); n > 0; n--) {
                s.appendCodePoint(random.nextInt(8) == 0 ? 0x20ac : 'a' + random.nextInt(26));
            }
            return s.toString();
        }
        throw new IllegalStateException("no random " + c);
    }

    private String dump(Object o, Schema schema) throws Exception {
        StringBuilder s = new StringBuilder("{");
        for (Map.Entry<String, org.apache.kafka.common.protocol.types.Type> f : fields(schema).entrySet()) {
            Method get = methods(o.getClass()).get(f.getKey());
            s.append(f.getKey()).append('=').append(text(get.invoke(o), f.getValue())).append(';');
        }
        return s.append('}').toString();
    }

    private String text(Object v, org.apache.kafka.common.protocol.types.Type type) throws Exception {
        if (v == null) {
            return "null";
        } else if (type.isArray()) {
            StringBuilder s = new StringBuilder("[");
            for (Object e : (Collection<?>) v) {
                s.append(text(e, type.arrayElementType().get())).append(',');
            }
            return s.append(']').toString();
        } else if (type instanceof Schema) {
            return dump(v, (Schema) type);
        } else if (v instanceof Boolean) {
            return (Boolean) v ? "1" : "0";
        } else if (v instanceof Double) {
            return String.format("f%016x", Double.doubleToRawLongBits((Double) v));
        } else if (v instanceof String) {
            return "s" + hex(((String) v).getBytes(StandardCharsets.UTF_8));
        } else if (v instanceof Uuid) {
            Uuid u = (Uuid) v;
            return String.format("u%016x%016x", u.getMostSignificantBits(), u.getLeastSignificantBits());
        } else if (v instanceof byte[]) {
            return "b" + hex((byte[]) v);
        } else if (v instanceof MemoryRecords) {
            return text(((MemoryRecords) v).buffer(), type);
        } else if (v instanceof ByteBuffer) {
            ByteBuffer b = ((ByteBuffer) v).duplicate();
            byte[] copy = new byte[b.remaining()];
            b.get(copy);
            return "b" + hex(copy);
        }
        return v.toString();
    }

    private static String hex(byte[] bytes) {
        StringBuilder s = new StringBuilder();
        for (byte b : bytes) {
            s.append(Character.forDigit((b >> 4) & 15, 16)).append(Character.forDigit(b & 15, 16));
        }
        return s.toString();
    }

    private static String line(byte[] bytes) {
        return bytes.length == 0 ? "-" : hex(bytes);
    }

    private static byte[] unhex(String s) {
        byte[] bytes = new byte[s.equals("-") ? 0 : s.length() / 2];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) Integer.parseInt(s.substring(2 * i, 2 * i + 2), 16);
        }
        return bytes;
    }
}
