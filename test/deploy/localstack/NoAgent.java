/** Stands for LocalStack's agent, which changes nothing that is tested here. */
public class NoAgent {
  public static void premain(String arguments, java.lang.instrument.Instrumentation instrumentation) {}
}
